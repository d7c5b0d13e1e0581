#!/bin/sh
# Bolt gives the parameters as JSON on standard input, with _noop among them; the agent knows what to do with it.
exec cinder-backend --format bolt
