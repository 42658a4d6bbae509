#!/usr/bin/env python3
"""A complete device of the protocol cutpoint.v1 (docs/protocol.md), without a model: loading is a pause.

Written from the document alone, in another language than the controller, to show that the document is enough.
Needs Python 3.9 and websockets 10 or newer (Debian: python3-websockets).

  device.py --url ws://127.0.0.1:8080 --device-id camera-7 [--role end|edge|cloud] [--token TOKEN] ...

CUTPOINT_URL, CUTPOINT_DEVICE_ID and CUTPOINT_TOKEN stand in for options. What the device does is written to stdout,
one JSON object a line; commands are read from stdin, one JSON object a line (see Device.command).
"""
import argparse
import asyncio
import json
import os
import random
import re
import stat
import sys
import time

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatusCode
from websockets.legacy.client import WebSocketClientProtocol, connect

STAY_AWAY = {4001, 4003, 4004, 4009, 4010}
COME_LATER = {4005, 4008, 4011}
FIRST_PAUSE, LONGEST_PAUSE, LATER_PAUSE, STABLE = 1.0, 60.0, 60.0, 10.0
CODE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def tell(event, **more):
    print(json.dumps({"event": event, **more}), flush=True)


class Heard(WebSocketClientProtocol):
    """The library answers pings by itself; the device only has to know that there was one."""

    on_ping = staticmethod(lambda: None)

    async def pong(self, data=b""):
        self.on_ping()
        await super().pong(data)


class Deployment:
    """What the controller wants of one deployment, what is loaded, and what runs."""

    def __init__(self, device, deployment_id):
        self.device, self.id = device, deployment_id
        self.desired = None  # the latest cut message
        self.load = None  # (version, task)
        self.ready = None  # loaded, not active
        self.running = None  # active; with reasons in `fallback` the safe local cut runs in its place
        self.fallback = []
        self.silent = False  # nothing heard for the time to live
        self.confirmed = 0  # version that the controller named last on this connection

    def send(self, kind, version, **more):
        self.device.send({"type": kind, "deploymentId": self.id, "version": version, **more})

    def tell(self, event, version, **more):
        tell(event, deploymentId=self.id, version=version, **more)

    def cut(self, cut):
        version, known = cut["version"], self.desired["version"] if self.desired else 0
        if version < known:
            return
        self.desired, self.confirmed, self.silent = cut, version, False
        if version > known:
            self.give_up()
        if self.running and self.running["version"] == version:
            self.again(cut)
        elif self.ready:
            self.advance()
        elif self.load is None:
            self.load = (version, asyncio.create_task(self.prepare(cut)))

    def again(self, cut):
        """The cut that runs here came once more."""
        if cut["phase"] == "prepare":
            self.send("prepared", cut["version"])
        elif not self.fallback:
            self.send("ack", cut["version"])
        elif not self.regain("time-to-live"):
            self.send("fallback", cut["version"], reason=self.fallback[0])

    async def prepare(self, cut):
        await asyncio.sleep(self.device.options.load_seconds)
        self.load = None
        if self.device.refuse_with:
            running = {"running": self.running["version"]} if self.running and not self.fallback else {}
            self.send("nack", cut["version"], code=self.device.refuse_with, **running)
            return
        self.tell("prepared", cut["version"])
        self.ready = cut
        self.advance()

    def advance(self):
        """What is loaded is switched to where that is wanted."""
        if self.desired["phase"] == "prepare":
            self.send("prepared", self.desired["version"])
        elif not self.silent or not self.can_fall_back(self.ready):
            before, self.running, self.ready, self.fallback = self.running, self.ready, None, []
            self.activate()
            if before:
                after = self.device.previous_cut_seconds
                asyncio.get_running_loop().call_later(after, self.tell, "released", before["version"])

    def activate(self):
        self.tell("active", self.running["version"], endLayers=self.running["endLayers"])
        self.send("ack", self.running["version"])

    def current(self, version):
        if self.running and self.running["version"] == version:
            self.confirmed, self.silent = version, False
            self.regain("time-to-live")

    def can_fall_back(self, cut):
        return cut["tier"] == "end" and len(cut["endLayers"]) < cut["layerCount"]

    def lose(self, reason):
        self.silent = self.silent or reason == "time-to-live"
        if not self.running or not self.can_fall_back(self.running) or reason in self.fallback:
            return
        self.fallback.append(reason)
        if len(self.fallback) == 1:
            self.tell("fallback", self.running["version"], reason=reason)
            self.send("fallback", self.running["version"], reason=reason)

    def regain(self, reason):
        """A reason is gone. Returns whether the device is back at the version that it ran, or at a newer one."""
        if reason in self.fallback:
            self.fallback.remove(reason)
            if self.ready and self.desired["phase"] == "active" and not self.silent:
                self.advance()
                return True
            if not self.fallback:
                self.activate()
                return True
        return False

    def sign_of_life(self):
        # on a new connection the controller may want something else: it says so at once
        if self.silent and self.desired and self.confirmed == self.desired["version"]:
            self.silent = False
            if not self.regain("time-to-live") and self.ready and self.desired["phase"] == "active":
                self.advance()

    def give_up(self):
        if self.load:
            self.load[1].cancel()
        self.load = self.ready = None


class Device:
    def __init__(self, options):
        self.options = options
        self.boot_epoch = time.time_ns() // 1_000_000
        self.sequence = 0
        self.telemetry = {}
        self.deployments = {}
        self.previous_cut_seconds = 0.0
        self.refuse_with = options.refuse
        self.last_sign = time.monotonic()
        self.socket = None
        self.outbox = asyncio.Queue(maxsize=1000)
        self.welcomed_at = None

    # --- what runs, and for how long without a word of the controller ---

    def alive(self):
        self.last_sign = time.monotonic()
        for deployment in list(self.deployments.values()):
            deployment.sign_of_life()

    async def watch(self):
        """Ends the time to live of cuts. Runs on whether there is a connection or not."""
        while True:
            silent_for = time.monotonic() - self.last_sign
            wait = 1.0
            for deployment in list(self.deployments.values()):
                if deployment.desired is None or deployment.silent:
                    continue
                left = deployment.desired["timeToLiveMs"] / 1000 - silent_for
                if left <= 0:
                    deployment.lose("time-to-live")
                else:
                    wait = min(wait, left)
            await asyncio.sleep(max(0.005, min(wait, 0.1)))

    # --- messages ---

    def hello(self):
        running = [
            {
                "deploymentId": deployment.id,
                "version": deployment.running["version"],
                **({"fallback": True} if deployment.fallback else {}),
            }
            for deployment in self.deployments.values()
            if deployment.running
        ]
        hello = {
            "type": "hello",
            "deviceId": self.options.device_id,
            "role": self.options.role,
            "bootEpoch": self.boot_epoch,
            "agent": "device.py",
            "capabilities": ["prepare"],
            "running": running,
        }
        if self.options.compute_ratio is not None:
            hello["computeRatio"] = self.options.compute_ratio
        return hello

    def send(self, message):
        """Before the welcome only the hello goes; what would be said now is in it, or is asked for again."""
        if self.welcomed_at is None:
            return
        try:
            self.outbox.put_nowait(message)
        except asyncio.QueueFull:  # a controller that reads nothing for so long is gone
            self.socket.transport.abort()

    def send_telemetry(self):
        self.sequence += 1
        self.send({"type": "telemetry", "sequence": self.sequence, **self.telemetry})

    def receive(self, text):
        try:
            message = json.loads(text) if isinstance(text, str) else None
            kind = message.get("type") if isinstance(message, dict) else None
            if kind == "welcome":
                self.welcome(message)
            elif kind == "cut":
                self.check_cut(message)
                self.deployment(message["deploymentId"]).cut(message)
            elif kind == "current":
                if message["deploymentId"] in self.deployments:
                    self.deployments[message["deploymentId"]].current(message["version"])
            elif kind == "removed":
                gone = self.deployments.pop(message["deploymentId"], None)
                if gone:
                    gone.give_up()
                    tell("removed", deploymentId=gone.id)
            elif kind in ("error", "warning"):
                tell(kind, code=message.get("code"), message=message.get("message"))
            # anything else is of a later version of the protocol
        except (ValueError, KeyError, TypeError) as error:
            tell("wrong-frame", problem=repr(error))

    @staticmethod
    def check_cut(cut):
        if cut["phase"] not in ("prepare", "active"):
            raise ValueError(f"phase {cut['phase']!r}")
        for field, kind in (("version", int), ("layerCount", int), ("endLayers", list), ("deploymentId", str)):
            if not isinstance(cut[field], kind):
                raise TypeError(f"{field} must be {kind.__name__}")
        for field in ("tier", "model", "tensors", "timeToLiveMs"):
            cut[field]  # KeyError names it

    def deployment(self, deployment_id):
        if deployment_id not in self.deployments:
            self.deployments[deployment_id] = Deployment(self, deployment_id)
        return self.deployments[deployment_id]

    def welcome(self, message):
        self.welcomed_at = time.monotonic()
        self.previous_cut_seconds = message["previousCutMs"] / 1000
        self.heartbeat = message["heartbeatMs"] / 1000
        self.interval = message["telemetryIntervalMs"] / 1000
        tell("welcomed")

    # --- connections ---

    async def run(self):
        watching = asyncio.create_task(self.watch())
        commands = asyncio.create_task(self.read_commands())
        attempt = 0
        while True:
            code, status = await self.connection()
            held = 0 if self.welcomed_at is None else time.monotonic() - self.welcomed_at
            self.welcomed_at = self.socket = None
            for deployment in self.deployments.values():
                deployment.confirmed = 0
            if code in STAY_AWAY or status == 400:
                tell("ended", code=code, status=status)
                break
            if code in COME_LATER or status in (401, 403, 429):
                pause = LATER_PAUSE * random.uniform(1, 2)
            else:
                attempt = 0 if held >= STABLE else attempt
                pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt) * random.uniform(0.5, 1)
                attempt = min(attempt + 1, 6)
            tell("disconnected", code=code, status=status, pauseSeconds=round(pause, 3))
            await asyncio.sleep(pause)
        # whoever must not come back still serves; it is told to stop on stdin, or by a signal
        await asyncio.gather(watching, commands)

    async def connection(self):
        """One connection from the upgrade to its end. Returns (close code, None) or (None, HTTP status or 0)."""
        headers = {"Authorization": f"Bearer {self.options.token}"} if self.options.token else {}
        try:
            socket = await connect(
                f"{self.options.url}/v1/devices",
                subprotocols=["cutpoint.v1"],
                extra_headers=headers,
                create_protocol=Heard,
                compression=None,
                ping_interval=None,  # the controller pings
                max_size=4 * 1024 * 1024,
                open_timeout=15,
            )
        except InvalidStatusCode as error:
            return None, error.status_code
        except (OSError, InvalidHandshake, asyncio.TimeoutError, EOFError):
            return None, 0
        self.socket, self.outbox = socket, asyncio.Queue(maxsize=1000)
        socket.on_ping = self.alive
        tasks = [asyncio.create_task(work) for work in (self.writer(), self.talker(), self.reaper())]
        try:
            await socket.send(json.dumps(self.hello()))
            async for text in socket:
                self.receive(text)
                self.alive()
        except ConnectionClosed:
            pass  # the code below says how
        finally:
            for task in tasks:
                task.cancel()
        return socket.close_code or 1006, None

    async def writer(self):
        socket, outbox = self.socket, self.outbox
        while True:
            message = await outbox.get()
            try:
                await socket.send(json.dumps(message))
            except ConnectionClosed:
                return  # the reader of this connection ends it

    async def talker(self):
        """Telemetry is a snapshot: nothing of it waits while the connection takes nothing."""
        while self.welcomed_at is None:
            await asyncio.sleep(0.01)
        while True:
            if self.outbox.empty():
                self.send_telemetry()
            await asyncio.sleep(self.interval)

    async def reaper(self):
        """Gives up a connection without a welcome in 15 s, or without a sign of life for three heartbeats."""
        opened, socket = time.monotonic(), self.socket
        while True:
            await asyncio.sleep(0.05)
            now = time.monotonic()
            if self.welcomed_at is None:
                is_dead = now - opened > 15
            else:
                is_dead = now - self.last_sign > 3 * self.heartbeat
            if is_dead:
                socket.transport.abort()  # no goodbye: nobody would answer it
                return

    # --- stdin ---

    async def read_commands(self):
        if not stat.S_ISFIFO(os.fstat(0).st_mode) and not stat.S_ISSOCK(os.fstat(0).st_mode):
            return  # nobody is there to say anything
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        async for line in reader:
            try:
                self.command(json.loads(line))
            except (ValueError, KeyError, TypeError) as error:
                tell("wrong-command", problem=repr(error))

    def command(self, command):
        """telemetry {values}, measured {message}, edge-lost | edge-back {deploymentId}, refuse {code or null}."""
        do = command["do"]
        if do == "telemetry":
            self.telemetry = command["values"]
            self.send_telemetry()
        elif do == "measured":
            self.send({"type": "measurement", **command["message"]})
        elif do == "edge-lost":
            self.deployment(command["deploymentId"]).lose("edge-lost")
        elif do == "edge-back":
            self.deployment(command["deploymentId"]).regain("edge-lost")
        elif do == "refuse":
            if command["code"] is not None and not CODE.fullmatch(command["code"]):
                raise ValueError("code must be kebab-case")
            self.refuse_with = command["code"]
        else:
            raise ValueError(f"unknown command {do!r}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    environment = os.environ.get
    parser.add_argument("--url", default=environment("CUTPOINT_URL"))
    parser.add_argument("--device-id", default=environment("CUTPOINT_DEVICE_ID"))
    parser.add_argument("--token", default=environment("CUTPOINT_TOKEN"))
    parser.add_argument("--role", choices=("end", "edge", "cloud"), default="end")
    parser.add_argument("--compute-ratio", type=float, help="seconds here per second on the controller")
    parser.add_argument("--load-seconds", type=float, default=0.02, help="how long loading a cut takes")
    parser.add_argument("--refuse", metavar="CODE", help="refuse every cut with this code")
    options = parser.parse_args()
    if not options.url or not options.device_id:
        parser.error("--url and --device-id (or CUTPOINT_URL and CUTPOINT_DEVICE_ID) are needed")
    try:
        asyncio.run(Device(options).run())
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
