import { defineConfig } from 'vitest/config'

export default defineConfig({
  define: { VERSION: JSON.stringify('test') },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/peers/setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    coverage: { provider: 'v8', include: ['src/**/*.ts'] },
  },
})
