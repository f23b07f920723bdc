"""What an error of Redis means for the work in hand: the server's trouble, or this one key's.

Trouble of the server never becomes a dead letter. redis-py has a class for some of its codes and a plain ResponseError
for the others; Redis 6.2 wraps what a command inside a script was answered into "Error running script ...", later ones
do not; redis-py's pipelines put the command before it. tests/workers/runtime/redis/test_errors.py puts real servers
into each state. Codes: https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors and Redis's source.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    ExternalAuthProviderError,
    InvalidResponse,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from schemas.text import Text
from workers.runtime.errors import Misconfigured, TransientError, is_closed

_AWAY: Final = (RedisConnectionError, RedisTimeoutError)
_NOT_LET_IN: Final = (AuthenticationError, AuthorizationError, ExternalAuthProviderError)

_CODES: Final = {
    BusyLoadingError: "LOADING",
    NoPermissionError: "NOPERM",
    OutOfMemoryError: "OOM",
    ReadOnlyError: "READONLY",
}
"""Where redis-py made the error itself and left out its code."""

_IN_PIPELINE: Final = re.compile(r"Command # \d+ .* of pipeline caused error: (?:\(['\"])?", re.DOTALL)
_IN_SCRIPT: Final = re.compile(r"(?:ERR )?Error running script \(call to f_[0-9a-f]{40}\): @\w+:\d+: (?:@\w+: ?\d+: )?")
_WORD: Final = re.compile(r"-?([A-Z][A-Z0-9_]+)(?:[: ]|$)")

_FULL: Final = Text(
    "it is full: give it more memory (maxmemory) or delete what is not ours; see the runbook OrdersDependencyAway.md",
    "内存已满：请增大 maxmemory，或删除不属于本系统的数据；参见运维手册 OrdersDependencyAway.md",
)
_REPLICA: Final = Text(
    "it is a replica, or has just failed over: ORDERFLEET_REDIS_URL must lead to the primary",
    "它是只读副本，或刚发生主从切换：ORDERFLEET_REDIS_URL 必须指向主节点",
)
_CLUSTER: Final = Text(
    "it is a node of a Redis Cluster, which orderfleet cannot use: ORDERFLEET_REDIS_URL must lead to a single primary",
    "它是 Redis Cluster 的节点，本系统不支持集群：ORDERFLEET_REDIS_URL 必须指向单个主节点",
)
_DISK: Final = Text(
    "it cannot write to its disk and refuses changes: see its log, make room",
    "它无法写入磁盘，因而拒绝修改：请查看其日志并清理磁盘空间",
)
_LOADING: Final = Text("it loads its data: wait", "正在加载数据：请稍候")
_BUSY: Final = Text(
    "a script blocks it: wait, or end that script with redis-cli SCRIPT KILL",
    "有脚本阻塞了它：请稍候，或用 redis-cli SCRIPT KILL 终止该脚本",
)
_REPLICAS: Final = Text(
    "too few of its replicas are in step (min-replicas-to-write): bring them back",
    "跟上进度的副本过少（min-replicas-to-write）：请恢复副本",
)
_PASSES: Final = Text("wait; if it stays so, see its log", "请稍候；若一直如此，请查看其日志")
_RIGHTS: Final = Text(
    "the user in ORDERFLEET_REDIS_URL lacks a right: allow it this fleet's keys, scripts, and the commands in them",
    "ORDERFLEET_REDIS_URL 中的用户权限不足：请授予本系统全部键、脚本及其中命令的权限",
)
_PASSWORD: Final = Text(
    "user or password in ORDERFLEET_REDIS_URL is wrong or missing",
    "ORDERFLEET_REDIS_URL 中的用户名或密码错误或缺失",
)
_DATABASE: Final = Text(
    "there is no such database number: correct the end of ORDERFLEET_REDIS_URL",
    "没有该编号的数据库：请修改 ORDERFLEET_REDIS_URL 末尾的库号",
)
_COMMAND: Final = Text(
    "it does not know a command we need: Redis 6.2 or newer, without renamed commands",
    "它不认识所需的命令：需要 Redis 6.2 或更新版本，且未重命名命令",
)
_AWAY_NOW: Final = Text(
    "is it running, and is ORDERFLEET_REDIS_URL right?", "请检查它是否在运行、ORDERFLEET_REDIS_URL 是否正确"
)

_PASSING: Final = {
    "OOM": _FULL,
    "READONLY": _REPLICA,
    "MASTERDOWN": _REPLICA,
    "UNBLOCKED": _REPLICA,
    "LOADING": _LOADING,
    "BUSY": _BUSY,
    "NOREPLICAS": _REPLICAS,
    "MISCONF": _DISK,
    "MOVED": _CLUSTER,
    "ASK": _CLUSTER,
    "CLUSTERDOWN": _CLUSTER,
    "TRYAGAIN": _CLUSTER,
    "NOSCRIPT": _PASSES,  # forgotten between loading and running it; the next try loads it again
    "EXECABORT": _PASSES,
}
_WRONG: Final = {
    "NOAUTH": _PASSWORD,
    "WRONGPASS": _PASSWORD,
    "NOPERM": _RIGHTS,
    "CROSSSLOT": _CLUSTER,
}
_DAMAGE: Final = frozenset({"WRONGTYPE", "CORRUPT", "ERR"})  # of a key, unless an ERR is one of the next

_PASSING_SENTENCES: Final = {"Script killed by user": _BUSY, "max number of clients reached": _PASSES}
_WRONG_SENTENCES: Final = {
    "can't run this command": _RIGHTS,
    "ACL failure in script": _RIGHTS,
    "DB index is out of range": _DATABASE,
    "SELECT is not allowed in cluster mode": _CLUSTER,
    "access a non local key": _CLUSTER,
    "nknown command": _COMMAND,
    "nknown Redis command": _COMMAND,
    "invalid password": _PASSWORD,
}


class Trouble(NamedTuple):
    """What is the matter with Redis. `code`: its first word for it, or the name of a class; never what it quotes."""

    code: str
    advice: Text
    passes: bool  # whether to wait helps


def trouble_of(error: BaseException | None) -> Trouble | None:
    """What an error says is the matter with the server; None when it is about one key, or a mistake of ours."""
    if isinstance(error, RuntimeError):
        return Trouble("RuntimeError", _AWAY_NOW, passes=True) if is_closed(error) else None
    if not isinstance(error, RedisError):
        return None
    code, sentence = _read(error)
    if code in _WRONG or isinstance(error, _NOT_LET_IN):
        return Trouble(code or type(error).__name__, _WRONG.get(code, _PASSWORD), passes=False)
    if code in _PASSING:
        return Trouble(code, _PASSING[code], passes=True)
    if code == "ERR":
        return _by_sentence(sentence)
    if isinstance(error, _AWAY):
        return Trouble(type(error).__name__, _AWAY_NOW, passes=True)
    if isinstance(error, InvalidResponse):
        return Trouble(type(error).__name__, _AWAY_NOW, passes=False)
    if isinstance(error, ResponseError) and code and code not in _DAMAGE:
        return Trouble(code, _PASSES, passes=True)  # a code we do not know: sooner wait than call an order bad
    return None


def _by_sentence(sentence: str) -> Trouble | None:
    """Some things have no code of their own."""
    for part, advice in _PASSING_SENTENCES.items():
        if part in sentence:
            return Trouble("ERR", advice, passes=True)
    for part, advice in _WRONG_SENTENCES.items():
        if part in sentence:
            return Trouble("ERR", advice, passes=False)
    return None


def _read(error: RedisError) -> tuple[str, str]:
    """The code, "" when there is none, and what follows. redis-py cuts off the codes that it has a class for."""
    told = error.status_code or _CODES.get(type(error), "")
    text = _IN_PIPELINE.sub("", str(error), count=1)
    wrapped = _IN_SCRIPT.match(text)
    if wrapped:
        told, text = "", text[wrapped.end() :]
    word = _WORD.match(text)
    if word and (not told or (told == "ERR" and (word[1] in _DAMAGE or word[1] in _PASSING or word[1] in _WRONG))):
        return word[1], text[word.end() :]
    return told or ("ERR" if isinstance(error, ResponseError) else ""), text


class RedisErrors:
    """See `redis_errors`. Not a generator: entering and leaving one takes as long as to read a reply."""

    __slots__ = ()

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Raises TransientError in place of the server's trouble."""
        if error is not None and (trouble := trouble_of(error)) is not None:
            raise transient(trouble) from error


_REDIS_ERRORS: Final = RedisErrors()


def redis_errors() -> RedisErrors:
    """Turn what says that Redis is away, full, busy, loading, read-only ... into TransientError.

    What to wait for does not help, such as a wrong password, becomes its kind Misconfigured. What is about one key, and
    mistakes of ours, pass. So too what the event loop raises when a connection dies between two calls of the client,
    which lets it through.
    """
    return _REDIS_ERRORS


def raise_trouble(reply: object) -> None:
    """Raise TransientError when a reply is an error that is about the server."""
    if isinstance(reply, RedisError) and (trouble := trouble_of(reply)) is not None:
        raise transient(trouble) from reply


def transient(trouble: Trouble) -> TransientError:
    """The error to raise. Its words quote nothing of what Redis said but the code."""
    kind = TransientError if trouble.passes else Misconfigured
    error = kind(f"Redis: {trouble.code}: {trouble.advice.en}")
    error.advice = trouble.advice
    error.code = trouble.code
    return error
