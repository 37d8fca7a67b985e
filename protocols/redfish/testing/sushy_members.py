"""What sushy can do, by introspection, and what of it was done: names are Class.member."""
import importlib
import inspect
import pkgutil

import sushy
import sushy.resources
from sushy import taskmonitor
from sushy.resources import base

# By Class.member, with the reasons in sushy-not-walked.ts.
UNREADABLE = {'ResourceBase.oem_vendors', 'Task.is_processing'}
WAYS_IN = (
    'get_system_collection',
    'get_chassis_collection',
    'get_manager_collection',
    'get_session_service',
    'get_event_service',
    'get_task_service',
    'get_update_service',
    'get_certificate_service',
    '_get_registry_collection',
)
BASES = (base.ResourceBase, base.ResourceCollectionBase, base.MutableResourceCollectionBase, base.ResourceLinksBase)


def classes():
    found = [sushy.Sushy, taskmonitor.TaskMonitor, *BASES]
    for module in pkgutil.walk_packages(sushy.resources.__path__, 'sushy.resources.'):
        if '.oem' in module.name:
            continue
        for each in vars(importlib.import_module(module.name)).values():
            if inspect.isclass(each) and issubclass(each, base.ResourceBase) and each not in found:
                found.append(each)
    return found


def own_members(each):
    """Those that it has of its own, not of one of the bases that all share."""
    inherited = set()
    for parent in each.__mro__[1:]:
        if parent in BASES:
            inherited |= set(dir(parent))
    return [name for name in dir(each) if not name.startswith('_') and name not in inherited]


def all_members():
    return sorted('%s.%s' % (each.__name__, name) for each in classes() for name in own_members(each))


def title(thing, name):
    """The class that the member is listed under."""
    for each in type(thing).__mro__:
        if each in classes() and name in own_members(each):
            return '%s.%s' % (each.__name__, name)
    return None


class Walked:
    def __init__(self):
        self.members = set()
        self._seen = set()

    def note(self, thing, name, value):
        """What tells nothing was not done."""
        member = title(thing, name) if hasattr(type(thing), '__mro__') else None
        if member and value is not None:
            self.members.add(member)

    def everything(self, thing):
        """Reads every property of every resource that can be reached."""
        if isinstance(thing, (list, tuple)):
            for each in thing:
                self.everything(each)
        if isinstance(thing, dict):
            self.everything(list(thing.values()))
        if not isinstance(thing, base.ResourceBase) or (type(thing), thing.path) in self._seen:
            return
        self._seen.add((type(thing), thing.path))
        for name in [each for each in dir(type(thing)) if not each.startswith('_')]:
            found = inspect.getattr_static(type(thing), name)
            if title(thing, name) in UNREADABLE or inspect.isfunction(found) or isinstance(found, (classmethod, staticmethod)):
                continue
            try:
                value = getattr(thing, name)
            except (sushy.exceptions.MissingAttributeError, sushy.exceptions.MissingActionError):
                continue
            self.note(thing, name, value)
            self.everything(value)
        if isinstance(thing, sushy.Sushy):
            for way in WAYS_IN:
                found = getattr(thing, way)()
                self.note(thing, way, found)
                self.everything(found)
        if hasattr(thing, 'get_members'):
            members = thing.get_members()
            self.note(thing, 'get_members', members)
            self.everything(members)
