"""Reads a command's standard output as Salt's cmd.run does with stateful: True, and prints the state that comes of it, as JSON."""
import json
import sys


def reinterpreted(output):
    # After salt/states/cmd.py, _reinterpreted_state: one JSON object, or else name=value pairs on the last line.
    data = json.loads(output)
    if not isinstance(data, dict):
        return {'result': False, 'comment': 'script JSON output must be a JSON object'}
    changed = str(data.pop('changed', 'no')).lower() in ('yes', 'true', '1')
    comment = data.pop('comment', '')
    return {'comment': comment, 'changes': data if changed else {}}


json.dump(reinterpreted(sys.stdin.read()), sys.stdout)
