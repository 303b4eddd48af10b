"""Lua as Argo CD opens it for a script (its util/lua/lua.go and oslib_safe.go): the base, table and package libraries.

Of `os` there are only `date` and `time`, and only by `require`; `string`, `math` and `io` are missing, so that a script
that needs them fails here as it would there. Argo CD's Lua is gopher-lua, which speaks Lua 5.1, as this one does.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from lupa import lua51

MISSING = ("coroutine", "debug", "io", "math", "os", "python", "string")
DATES = set("aAbBcdFHImMpPSxXyYzZw%")
"""The letters that Argo CD's os.date knows; it leaves others as they are."""
Object = dict[str, Any]
Clock = Callable[[], datetime]


def run(script: str, obj: Object, clock: Clock) -> Any:
    """What the script returns, as JSON, with the object as its global `obj`. Raises lupa.LuaError and ValueError."""
    runtime = lua51.LuaRuntime(register_eval=False, register_builtins=False)
    close(runtime, clock)
    runtime.globals()["obj"] = runtime.table_from(obj, recursive=True)
    return decoded(runtime.execute(script))


def close(runtime: Any, clock: Clock) -> None:
    """Take away what Argo CD does not open, methods of strings included."""
    given = runtime.globals()
    given.debug.setmetatable("", None)
    for name in MISSING:
        given[name] = None
        given.package.loaded[name] = None
    safe = runtime.table_from({"date": lambda form="%c": date(form, clock()), "time": lambda: int(clock().timestamp())})
    given.package.preload["os"] = runtime.eval("function(found) return function() return found end end")(safe)


def date(form: str, now: datetime) -> str:
    """os.date, in UTC for a leading `!`. Raises ValueError for what Argo CD would leave unformatted."""
    if unknown := set(re.findall(r"%(.)", form)) - DATES:
        raise ValueError(f"Argo CD's os.date does not know {sorted(unknown)}")
    moment = now.astimezone(UTC) if form.startswith("!") else now
    return moment.strftime(form.removeprefix("!"))


def decoded(value: Any) -> Any:
    """A Lua value as gopher-json writes it: an empty table is an empty list. Raises ValueError for a mixed table."""
    if lua51.lua_type(value) != "table":
        return value
    keys = set(value)
    if all(isinstance(key, str) for key in keys):
        return {key: decoded(value[key]) for key in keys} if keys else []
    places = range(1, len(keys) + 1)
    if keys != set(places):
        raise ValueError(f"neither a list nor an object: {keys}")
    return [decoded(value[place]) for place in places]
