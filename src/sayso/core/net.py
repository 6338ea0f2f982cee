"""Calls to addresses that callers choose: which may be called at all, and nothing else is connected to.

A name is resolved once for a connection, every address that comes is checked, and the connection goes to one of those,
with the name in SNI and Host: a name that answers otherwise the next time gains nothing. ``ipaddress.is_global`` alone
is no such test: it passes multicast, NAT64 of loopback and site-local addresses.
"""

import asyncio
import re
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final
from urllib.parse import SplitResult, urlsplit

import aiohttp
import idna
from aiohttp.abc import AbstractResolver, ResolveResult

from sayso.core.errors import SettingError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
#: Addresses of a name; a parameter, so that a test can answer otherwise each time.
Lookup = Callable[[str, int], Sequence[str]]

HTTPS_PORT: Final = 443
_LONGEST_URL: Final = 2_048
_LONGEST_HOST: Final = 253
_RESOLVING_AT_ONCE: Final = 32
_INNER: Final = re.compile(r"(.*\.)?(localhost|local|internal|intranet|lan|home\.arpa)")
_NUMERIC_LABEL: Final = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE)
_HOST_PORT: Final = re.compile(r"(?P<host>\[[^\]]+\]|[^:/\s]+)(:(?P<port>[0-9]{1,5}))?")
_NAT64: Final = ip_network("64:ff9b::/96")
_MAPPED: Final = ip_network("::ffff:0:0/96")

#: Not for the public, by the special-purpose registries of IANA and by what clouds have put there.
_CLOSED: Final[tuple[Network, ...]] = tuple(
    ip_network(each)
    for each in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24"),
        *("192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
        *("224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32"),
        *("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"),
    )
)
#: Everything else in IPv6 is not assigned to anybody, or not meant for the public.
_OPEN_IPV6: Final = ip_network("2000::/3")


class RefusedUrlError(ValueError):
    """A URL that we do not call; the text says why and what to do, and nothing of what we can reach."""


class RefusedAddressError(OSError):
    """A name has no address that may be called. Told as a name that does not exist, which it may well be."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that may be tried: as it is called, and whether the operator listed its host."""

    url: str
    host: str
    port: int
    listed: bool


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the operator lets be called besides public https addresses: hosts (of any port, or of one) and networks."""

    hosts: frozenset[tuple[str, int | None]] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, text: str | None) -> "Allowed":
        """From a list with commas: ``host``, ``host:port``, an address or a network; raises SettingError."""
        hosts: set[tuple[str, int | None]] = set()
        networks: list[Network] = []
        for each in (part.strip() for part in (text or "").split(",")):
            if not each:
                continue
            try:
                networks.append(ip_network(each.strip("[]")))
            except ValueError:
                hosts.add(_host_port(each))
        return cls(frozenset(hosts), tuple(networks))

    def host(self, host: str, port: int) -> bool:
        """Whether this host is listed, by its name or as an address."""
        if (host, None) in self.hosts or (host, port) in self.hosts:
            return True
        literal = _literal(host)
        return literal is not None and self.address(literal)

    def address(self, address: Address) -> bool:
        """Whether an address lies in a listed network."""
        return any(address.version == network.version and address in network for network in self.networks)


def _host_port(text: str) -> tuple[str, int | None]:
    found = _HOST_PORT.fullmatch(text)
    if found is None:
        raise SettingError(
            f"SAYSO_ENDPOINTS_ALLOW: {text!r} is neither a host, nor host:port, nor a network such as 10.1.0.0/16."
        )
    try:
        host = _ascii(found["host"].strip("[]"))
    except RefusedUrlError as error:
        raise SettingError(f"SAYSO_ENDPOINTS_ALLOW: {text!r}: {error}.") from error
    return host, int(found["port"]) if found["port"] else None


def check(text: str, allowed: Allowed) -> Target:
    """Whether a URL may be called, as far as it says itself; raises :class:`RefusedUrlError`."""
    if len(text) > _LONGEST_URL:
        raise RefusedUrlError(f"it has {len(text)} characters; at most {_LONGEST_URL} are taken")
    if any(character.isspace() or not character.isprintable() or character == "\\" for character in text):
        raise RefusedUrlError("it holds a space, a control character or a backslash")
    parts, port = _split(text)
    host = _ascii(parts.hostname or "")
    port = port or (HTTPS_PORT if parts.scheme == "https" else 80)
    listed = allowed.host(host, port)
    if not listed:
        _check_public(parts.scheme, host, port)
    netloc = (f"[{host}]" if ":" in host else host) + (f":{parts.port}" if parts.port else "")
    query = f"?{parts.query}" if parts.query else ""
    return Target(f"{parts.scheme}://{netloc}{parts.path or '/'}{query}", host, port, listed)


def _split(text: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise RefusedUrlError("it is not a URL") from error
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise RefusedUrlError("it must begin with https:// and name a host")
    if "@" in parts.netloc:
        raise RefusedUrlError("a name and password do not belong into it: calls are signed")
    if "#" in text:
        raise RefusedUrlError("it must have no fragment (#…), which is never sent")
    return parts, port


def _check_public(scheme: str, host: str, port: int) -> None:
    if scheme != "https":
        raise RefusedUrlError("it must begin with https://; SAYSO_ENDPOINTS_ALLOW lists exceptions")
    if port != HTTPS_PORT:
        raise RefusedUrlError(f"its port must be {HTTPS_PORT}; SAYSO_ENDPOINTS_ALLOW lists exceptions")
    if _literal(host) is not None or _NUMERIC_LABEL.fullmatch(host.rpartition(".")[2]) or ":" in host:
        raise RefusedUrlError("it must name a host, not an address; SAYSO_ENDPOINTS_ALLOW lists exceptions")
    if "." not in host or _INNER.fullmatch(host):
        raise RefusedUrlError("its host must have a public name; SAYSO_ENDPOINTS_ALLOW lists exceptions")


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _ascii(host: str) -> str:
    """The host in ASCII, converted once; raises :class:`RefusedUrlError`."""
    host = host.removesuffix(".")
    if _literal(host) is not None:
        return host
    try:
        plain = idna.encode(host, uts46=True).decode().lower() if not host.isascii() else host.lower()
    except (idna.IDNAError, UnicodeError) as error:
        raise RefusedUrlError("its host is not a valid name") from error
    plain = plain.removesuffix(".")
    if not plain or len(plain) > _LONGEST_HOST or not re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", plain):
        raise RefusedUrlError("its host is not a valid name")
    return plain


def is_public(address: Address) -> bool:
    """Whether anybody may be sent there: neither inside, nor special, nor another spelling of such an address."""
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return False
        if (
            address in _MAPPED or address in _NAT64
        ):  # NAT64 is how a machine without IPv4 sees the rest of the world
            return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
        if address not in _OPEN_IPV6:
            return False
    closed = any(address.version == network.version and address in network for network in _CLOSED)
    return not closed and address.is_global and not address.is_multicast and not address.is_reserved


def is_ours(address: Address) -> bool:
    """Whether an address is this machine's own, which may be a public one; asks the kernel, sends nothing."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6  # noqa: PLR2004 - the version's number
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((str(address), 9))
        except OSError:
            return False  # no way leads there
        return str(ip_address(probe.getsockname()[0])) == str(address)


def look_up(host: str, port: int) -> list[str]:
    """The system's answer for a name."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


@dataclass(slots=True)
class Guard(AbstractResolver):
    """Resolves names for connections, and gives only addresses that may be called: all of a name's, or none."""

    allowed: Allowed
    lookup: Lookup = look_up
    _threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(_RESOLVING_AT_ONCE, "resolving")
    )
    _under_way: dict[tuple[str, int], asyncio.Future[Sequence[str]]] = field(default_factory=dict)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of a name; raises :class:`RefusedAddressError` when any of them must not be called."""
        try:
            found = [ip_address(each) for each in await self._answer(host, port)]
        except (OSError, UnicodeError, ValueError) as error:
            raise RefusedAddressError(f"{host} cannot be resolved") from error
        by_name = self.allowed.host(host, port)
        fitting = [address for address in found if _fits(address, family)]
        if not fitting or not (by_name or all(self._may_call(address) for address in found)):
            raise RefusedAddressError(f"{host} has no public address")
        return [_result(host, address, port) for address in fitting]

    def _may_call(self, address: Address) -> bool:
        return self.allowed.address(address) or (is_public(address) and not is_ours(address))

    async def _answer(self, host: str, port: int) -> Sequence[str]:
        """Ask once for all who ask at the same time: a name whose servers hang must not take every thread."""
        key = (host, port)
        if key not in self._under_way:
            asked = asyncio.get_running_loop().run_in_executor(self._threads, self.lookup, host, port)
            self._under_way[key] = asked
            asked.add_done_callback(partial(self._answered, key))
        return await asyncio.shield(self._under_way[key])

    def _answered(self, key: tuple[str, int], asked: asyncio.Future[Sequence[str]]) -> None:
        del self._under_way[key]
        if not asked.cancelled():
            asked.exception()  # whoever asked may have gone

    async def close(self) -> None:
        """Let the threads go; whoever still waits for a name's servers is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _fits(address: Address, family: int) -> bool:
    return family == socket.AF_UNSPEC or (family == socket.AF_INET) == isinstance(address, IPv4Address)


def _result(host: str, address: Address, port: int) -> ResolveResult:
    family = socket.AF_INET if isinstance(address, IPv4Address) else socket.AF_INET6
    return ResolveResult(
        hostname=host,
        host=str(address),
        port=port,
        family=family,
        proto=socket.IPPROTO_TCP,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )


def session(
    allowed: Allowed, *, limit: int, proxy: str | None = None, lookup: Lookup = look_up
) -> aiohttp.ClientSession:
    """The session for such calls: nothing of the environment, no cookies, no decompression, no kept answers of names.

    With a ``proxy`` every call goes there, and it is the proxy that resolves and checks.
    """
    resolver = None if proxy else Guard(allowed, lookup)
    connector = aiohttp.TCPConnector(
        limit=limit, use_dns_cache=False, resolver=resolver, keepalive_timeout=15
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        proxy=proxy,
    )
