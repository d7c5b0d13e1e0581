/** The part of JSON Schema that coercion needs. */
export interface Shape {
  readonly $ref?: string
  readonly $defs?: Readonly<Record<string, Shape>>
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, Shape>>
  readonly items?: Shape
}

const TRUE = new Set(['y', 'yes', 'on', '1', 'true', 't'])
const FALSE = new Set(['n', 'no', 'off', '0', 'false', 'f'])

/** Ansible's booleans (ansible/module_utils/parsing/convert_bool.py). Any other value is returned as it is, for the schema to refuse. */
export function toBoolean(value: unknown): unknown {
  if (typeof value !== 'string' && typeof value !== 'number') return value
  const word = String(value).trim().toLowerCase()
  if (TRUE.has(word)) return true
  return FALSE.has(word) ? false : value
}

/**
 * Converts texts to the types of the schema as Ansible's own modules do (ansible/module_utils/common/validation.py), and drops keys that are
 * null, which means not given.
 */
export function coerce(value: unknown, shape: Shape, root: Shape = shape): unknown {
  const { type, properties, items } = resolveRef(shape, root)
  if (type === 'boolean') return toBoolean(value)
  if (type === 'integer') return coerceInteger(value)
  if (type === 'array' || (Array.isArray(type) && type.includes('array') && value !== 'all')) {
    const list = coerceList(value)
    return Array.isArray(list) && items !== undefined ? list.map((item) => coerce(item, items, root)) : list
  }
  if (type !== 'object') return value
  const object = coerceObject(value)
  if (typeof object !== 'object' || object === null || Array.isArray(object)) return object
  // In config.options null is a value: it removes an option from cinder.conf.
  if (properties === undefined) return object
  return Object.fromEntries(
    Object.entries(object)
      .filter(([, entry]) => entry !== null)
      .map(([key, entry]) => {
        const known = Object.hasOwn(properties, key) ? properties[key] : undefined
        return [key, known === undefined ? entry : coerce(entry, known, root)]
      }),
  )
}

function resolveRef(shape: Shape, root: Shape): Shape {
  const name = shape.$ref?.replace('#/$defs/', '')
  return name === undefined ? shape : (root.$defs?.[name] ?? shape)
}

function coerceInteger(value: unknown): unknown {
  return typeof value === 'string' && /^\s*[+-]?\d+\s*$/.test(value) ? Number(value) : value
}

function coerceList(value: unknown): unknown {
  if (typeof value === 'string') return value.split(',')
  return typeof value === 'number' ? [value] : value
}

function coerceObject(value: unknown): unknown {
  if (typeof value !== 'string' || !value.trimStart().startsWith('{')) return value
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}
