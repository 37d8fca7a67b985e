"""Reads one JSON program per line: a list of calls on sushy objects; answers one line each.

A step is [attribute, argument...] applied to the object before it; the first object is the Sushy root. A text such as
"ResetType.On" is that member of sushy's enumeration. Texts in place of a list: "members" is all that sushy can do, "everything"
reads all that can be read (as the step "read" does from there on), "walked" is what was done so far."""
import json
import re
import sys

import sushy
from sushy import auth

import sushy_members

settings = json.loads(sys.stdin.readline())
kinds = {'session': auth.SessionAuth, 'basic': auth.BasicAuth, 'auto': auth.SessionOrBasicAuth}
# Debian's package comes without the folder of standard registries; those of the service do.
sushy.Sushy._get_standard_message_registry_collection = lambda self: []
root = sushy.Sushy(settings['url'], auth=kinds[settings['auth']](settings['username'], settings['password']), verify=False)

walked = sushy_members.Walked()


def plain(value):
    if hasattr(value, 'value'):
        return value.value
    if isinstance(value, dict):
        return {str(plain(key)): plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(each) for each in value]
    if isinstance(value, (str, int, float, bool)) or value is None:
        return value
    return getattr(value, 'path', None) or type(value).__name__


def meant(value):
    if isinstance(value, dict):
        return {key: meant(each) for key, each in value.items()}
    member = re.fullmatch(r'([A-Z]\w+)\.(\w+)', value) if isinstance(value, str) else None
    return getattr(sushy, member[1])(member[2]) if member and hasattr(sushy, member[1]) else value


def step(at, name, arguments):
    if name.isdigit():
        return at[int(name)]
    if name == 'read':
        return walked.everything(at)
    arguments = [meant(each) for each in arguments]
    found = at[name] if isinstance(at, dict) else getattr(at, name)
    if not callable(found):
        walked.note(at, name, found)
        return found
    keywords = arguments.pop() if arguments and isinstance(arguments[-1], dict) and arguments[-1].pop('**', None) else {}
    answer = found(*arguments, **keywords)
    walked.note(at, name, True)
    return answer


for line in sys.stdin:
    try:
        program = json.loads(line)
        if program == 'members':
            at = sushy_members.all_members()
        elif program == 'walked':
            at = sorted(walked.members)
        elif program == 'everything':
            at = walked.everything(root)
        else:
            at = root
            for name, *arguments in program:
                at = step(at, name, arguments)
        answer = {'value': plain(at)}
    except Exception as error:
        answer = {'error': '%s: %s' % (type(error).__name__, error)}
    print(json.dumps(answer), flush=True)
