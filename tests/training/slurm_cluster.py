"""A Slurm cluster of two nodes on this machine, started by hand: loopback only, no munge, fake GPUs.

    with SlurmCluster(folder) as cluster:      # sets SLURM_CONF for this process and its children
        cluster.stop_node("gpu2")

Needs slurmctld and slurmd (package slurm-wlm) and the rights of root. Accounting (sacct) is left out.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType

NODES = ("gpu1", "gpu2")
_CONF = """\
ClusterName=speechmill
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={controller}
AuthType=auth/none
CredType=cred/none
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool_%n
SlurmctldPidFile={folder}/run/slurmctld.pid
SlurmdPidFile={folder}/run/slurmd_%n.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd_%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
MinJobAge=3600
SlurmctldTimeout=30
SlurmdTimeout=10
KillWait=5
SchedulerParameters=sched_interval=1,batch_sched_delay=0,sched_min_interval=0
SlurmdParameters=config_overrides
GresTypes=gpu
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
NodeName=gpu1 NodeHostname=localhost NodeAddr=127.0.0.1 Port={gpu1} CPUs=8 RealMemory=4000 Gres=gpu:titanxp:8
NodeName=gpu2 NodeHostname=localhost NodeAddr=127.0.0.1 Port={gpu2} CPUs=8 RealMemory=4000 Gres=gpu:titanxp:8
PartitionName=train Nodes=gpu1,gpu2 Default=YES MaxTime=INFINITE State=UP
"""
_GRES = "NodeName=gpu[1-2] Name=gpu Type=titanxp File=/dev/tty[10-17]\n"


def why_not() -> str | None:
    """Why no cluster can be started here, or None."""
    missing = [name for name in ("slurmctld", "slurmd", "sbatch") if shutil.which(name) is None]
    if missing:
        return f"{', '.join(missing)} not installed (package slurm-wlm)"
    if os.geteuid() != 0:
        return "starting Slurm's daemons needs root"
    return None


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


class SlurmCluster:
    """A controller and two nodes as children of this process; everything they write lies in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._old_conf = os.environ.get("SLURM_CONF")

    def __enter__(self) -> SlurmCluster:
        for name in ("state", "run", "log", *(f"spool_{node}" for node in NODES)):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        ports = dict(zip(("controller", *NODES), _free_ports(3), strict=True))
        conf = self.folder / "slurm.conf"
        conf.write_text(_CONF.format(folder=self.folder, **ports))
        (self.folder / "gres.conf").write_text(_GRES)
        if not os.path.ismount("/sys/fs/cgroup"):  # a chroot: slurmd only asks which of its plugins to load
            (self.folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")
        os.environ["SLURM_CONF"] = str(conf)
        self.start_controller()
        for node in NODES:
            self.start_node(node)
        self.wait_for_nodes("idle", 2)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        subprocess.run(["scancel", "--user=root"], capture_output=True, check=False)
        try:
            self.wait_for_nodes("idle", len(NODES))  # so that no step is left without its node's daemon
        finally:
            for name in (*NODES, "slurmctld"):
                self._stop(name)
            self._restore_conf()

    def _restore_conf(self) -> None:
        if self._old_conf is None:
            os.environ.pop("SLURM_CONF", None)
        else:
            os.environ["SLURM_CONF"] = self._old_conf

    def start_controller(self) -> None:
        """Start the controller; what it knew before it was stopped it reads from its folder."""
        self._start("slurmctld", ["slurmctld", "-D", "-f", str(self.folder / "slurm.conf")])

    def stop_controller(self) -> None:
        """Stop the controller; jobs go on."""
        self._stop("slurmctld")

    def start_node(self, node: str) -> None:
        """Start a node's daemon."""
        self._start(node, ["slurmd", "-D", "-N", node, "-f", str(self.folder / "slurm.conf")])

    def stop_node(self, node: str) -> None:
        """Take a node away with everything that runs on it, as a power cut would."""
        subprocess.run(["scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=power"], check=True)
        self._stop(node)

    def wait_for_nodes(self, state: str, count: int) -> None:
        """Until so many nodes are in a state."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            answer = subprocess.run(
                ["sinfo", "-h", "-N", "-o", "%T"], capture_output=True, text=True, check=False
            )
            if answer.stdout.split().count(state) >= count:
                return
            time.sleep(0.1)
        logs = "\n".join(
            path.read_text(errors="replace")[-1500:] for path in (self.folder / "log").glob("*.log")
        )
        raise TimeoutError(f"not {count} nodes {state}: {answer.stdout or answer.stderr}\n{logs}")

    def _start(self, name: str, command: list[str]) -> None:
        with (self.folder / "log" / f"{name}.out").open("ab") as output:
            self._processes[name] = subprocess.Popen(
                command, stdout=output, stderr=output, stdin=subprocess.DEVNULL
            )

    def _stop(self, name: str) -> None:
        process = self._processes.pop(name, None)
        if process is None:
            return
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
