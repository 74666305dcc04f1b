"""D-Bus: questions that never wait long, on a connection that comes back by itself. The one home of dbus-fast."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from argentum_desktop.clock import Clock
from argentum_desktop.system.activity.signal import SignalUnknownError

if TYPE_CHECKING:
    from dbus_fast import Message
    from dbus_fast.aio import MessageBus

log = logging.getLogger(__name__)

ANSWERS_WITHIN_S = 2.0
AGAIN_AFTER_S = 10.0
_BUS = "org.freedesktop.DBus"
_PROPERTIES = "org.freedesktop.DBus.Properties"
# The name is free, or what has it lacks this object or question: a plain "there is none", not a fault.
_ABSENT = (
    f"{_BUS}.Error.ServiceUnknown",
    f"{_BUS}.Error.NameHasNoOwner",
    f"{_BUS}.Error.UnknownMethod",
    f"{_BUS}.Error.UnknownObject",
    f"{_BUS}.Error.UnknownInterface",
    f"{_BUS}.Error.UnknownProperty",
    f"{_BUS}.Error.NotSupported",
)

Heard = Callable[..., None]


class BusAbsentError(SignalUnknownError):
    """There is no such bus on this computer, or nothing on it that could be asked."""


@dataclass(frozen=True)
class Object:
    """Something on a bus that can be asked."""

    service: str
    path: str
    interface: str


@dataclass(frozen=True)
class _Subscription:
    source: Object
    signal: str
    heard: Heard

    @property
    def rule(self) -> str:
        source = self.source
        return (
            f"type='signal',sender='{source.service}',path='{source.path}',"
            f"interface='{source.interface}',member='{self.signal}'"
        )


class Bus:
    """One bus. It is connected by the first question, and again some seconds after it was lost.

    Args:
        name: for the owner: "session" or "system".
        address: where it is; empty where there is none.
    """

    def __init__(self, name: str, address: str, clock: Clock) -> None:
        self._name = name
        self._address = address
        self._clock = clock
        self._bus: MessageBus | None = None
        self._connecting = asyncio.Lock()
        self._refusal: SignalUnknownError | None = None
        self._again_at_s = 0.0
        self._subscriptions: list[_Subscription] = []

    async def ask(self, target: Object, member: str, signature: str = "", *body: Any) -> list[Any]:
        """The answer's values.

        Raises:
            BusAbsentError: nobody on this bus knows the question.
            SignalUnknownError: no answer came in time, or a refusal.
        """
        reply = await self._send(target, member, signature, *body)
        return list(reply.body)

    async def ask_for_file(self, target: Object, member: str, signature: str, *body: Any) -> int:
        """The same where the answer is an open file: its descriptor, the caller's to close."""
        reply = await self._send(target, member, signature, *body)
        if not reply.unix_fds:
            raise SignalUnknownError(f"{target.service} gave no file.")
        return int(reply.unix_fds[0])

    async def read(self, target: Object, name: str) -> Any:
        """One property's value."""
        of_properties = Object(target.service, target.path, _PROPERTIES)
        (variant,) = await self.ask(of_properties, "Get", "ss", target.interface, name)
        return variant.value

    async def read_all(self, target: Object) -> dict[str, Any]:
        of_properties = Object(target.service, target.path, _PROPERTIES)
        (found,) = await self.ask(of_properties, "GetAll", "s", target.interface)
        return {name: variant.value for name, variant in found.items()}

    async def listen(self, source: Object, signal: str, heard: Heard) -> None:
        """Call `heard` with the values of each such signal, after a lost connection too; at once or once there is one.

        Also asked for what is not there now: it is heard once it is.
        """
        subscription = _Subscription(source, signal, heard)
        self._subscriptions.append(subscription)
        if self._bus is not None and self._bus.connected:
            await self._subscribe(self._bus, subscription)
        else:
            await self._connected()

    async def listen_to_changes(self, source: Object, heard: Callable[[], None]) -> None:
        """Call `heard` whenever a property of this object changes."""
        of_properties = Object(source.service, source.path, _PROPERTIES)
        await self.listen(of_properties, "PropertiesChanged", lambda *_: heard())

    async def close(self) -> None:
        bus, self._bus = self._bus, None
        if bus is not None:
            bus.disconnect()
            with contextlib.suppress(Exception):  # whatever became of it, it is over
                await asyncio.wait_for(bus.wait_for_disconnect(), ANSWERS_WITHIN_S)  # type: ignore[no-untyped-call]  # theirs

    async def _send(self, target: Object, member: str, signature: str = "", *body: Any) -> Message:
        bus = await self._connected()
        return await self._exchange(bus, target, member, signature, *body)

    async def _exchange(self, bus: MessageBus, target: Object, member: str, signature: str, *body: Any) -> Message:
        from dbus_fast import DBusFastError, Message, MessageFlag, MessageType

        # Looking must not start what is not there: GameMode and others would be started by their name alone.
        message = Message(
            destination=target.service,
            path=target.path,
            interface=target.interface,
            member=member,
            signature=signature,
            body=list(body),
            flags=MessageFlag.NO_AUTOSTART,
        )
        try:
            async with asyncio.timeout(ANSWERS_WITHIN_S):
                reply = await bus.call(message)
        except TimeoutError:
            raise SignalUnknownError(f"{target.service} does not answer.") from None
        except (OSError, EOFError, DBusFastError) as error:
            raise SignalUnknownError(f"The {self._name} bus was lost: {error}") from error
        if reply is None:
            raise SignalUnknownError(f"The {self._name} bus was lost.")
        if reply.message_type is MessageType.ERROR:
            kind = BusAbsentError if reply.error_name in _ABSENT else SignalUnknownError
            raise kind(f"{target.service} says: {reply.error_name}")
        return reply

    async def _connected(self) -> MessageBus:
        async with self._connecting:
            if self._bus is not None and self._bus.connected:
                return self._bus
            if self._bus is not None:
                self._bus.disconnect()
                self._bus = None
            if self._refusal is not None and self._clock.elapsed_s() < self._again_at_s:
                raise self._refusal
            try:
                self._bus = await self._connect()
            except SignalUnknownError as error:
                self._refusal = error
                self._again_at_s = self._clock.elapsed_s() + AGAIN_AFTER_S
                raise
            self._refusal = None
            return self._bus

    async def _connect(self) -> MessageBus:
        if not self._address:
            raise BusAbsentError(f"There is no {self._name} bus.")
        from dbus_fast import DBusFastError
        from dbus_fast.aio import MessageBus

        try:
            async with asyncio.timeout(ANSWERS_WITHIN_S):
                bus = await MessageBus(bus_address=self._address, negotiate_unix_fd=True).connect()
        except (FileNotFoundError, ConnectionRefusedError):
            raise BusAbsentError(f"There is no {self._name} bus.") from None
        except TimeoutError:
            raise SignalUnknownError(f"The {self._name} bus does not answer.") from None
        except (OSError, EOFError, ValueError, DBusFastError) as error:
            raise SignalUnknownError(f"The {self._name} bus cannot be used: {error}") from error
        try:
            for subscription in self._subscriptions:
                await self._subscribe(bus, subscription)
        except BaseException:
            bus.disconnect()
            raise
        return bus

    async def _subscribe(self, bus: MessageBus, subscription: _Subscription) -> None:
        """Tell the bus what we want to hear, and hand on what comes of it."""

        def handle(message: Message) -> None:
            source = subscription.source
            if (message.path, message.interface, message.member) == (
                source.path,
                source.interface,
                subscription.signal,
            ):
                subscription.heard(*message.body)

        bus.add_message_handler(handle)
        await self._exchange(bus, Object(_BUS, "/org/freedesktop/DBus", _BUS), "AddMatch", "s", subscription.rule)
