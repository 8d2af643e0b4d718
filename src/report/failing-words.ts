import type { FailingPilots } from '../decision.js';
import type { StartTrouble } from '../model.js';
import type { FaultCode, Words } from './fault-words.js';

const ASKED_AGAIN = 'one is tried in every loop, the others when it runs; pilots that run go on';
const SELDOM = 'one is tried after growing pauses, the others when it has lived; pilots that run go on';

/** What the engine lacks when it cannot start a container, and what helps. */
const LACKING: Readonly<Record<StartTrouble, Pick<Words, 'what' | 'cure'>>> = {
  'control-groups': {
    what: 'the kernel makes no more control groups, so the container engine cannot start pilots',
    cure: 'cat /proc/cgroups; where there are tens of thousands of them containers have left them behind: restart the engine, else the host',
  },
  addresses: {
    what: "the container engine's network has no address left for another pilot",
    cure: 'docker network inspect bridge; remove containers that are left over, or give it a larger network (bip in /etc/docker/daemon.json)',
  },
  network: {
    what: 'the container engine cannot connect pilots to a network',
    cure: 'dmesg | grep unregister_netdevice; iptables, and modprobe veth; restart the engine, and the host where the kernel waits for a device',
  },
  keys: {
    what: 'the kernel has no room for the key rings of more containers',
    cure: 'cat /proc/key-users; raise kernel.keys.maxkeys and kernel.keys.maxbytes',
  },
  processes: {
    what: 'the container engine cannot start more processes',
    cure: 'see TasksMax and LimitNOFILE of docker and containerd (systemctl show docker containerd), and kernel.pid_max',
  },
  'not-as-asked': {
    what: 'what the container engine makes of a pilot is more than the policy of this host allows, or less held in than asked for',
    cure: 'planctonctl policy check; docker inspect a container that planctonctl try has made, and the settings of the engine (daemon.json)',
  },
  'no-room': {
    what: "there is no room on the container engine's disk for another container",
    cure: 'docker system df; make room on that disk',
  },
};

const BY_KIND: Readonly<
  Record<Exclude<FailingPilots['kind'], 'host'>, Pick<Words, 'what' | 'cure'> & { readonly code: FaultCode }>
> = {
  failing: {
    code: 'pilots-failing',
    what: 'pilots fail soon after their start',
    cure: 'planctonctl post-mortem tells what they wrote; planctonctl try starts one to look at',
  },
  'out-of-memory': {
    code: 'pilots-failing',
    what: 'pilots are killed soon after their start, for want of memory',
    cure: 'raise max_dock_mem, or see who has the memory of this host',
  },
  image: {
    code: 'pilots-failing',
    what: 'pilots cannot be started with this configuration',
    cure: 'correct docker_image, docker_cmd or what else it names; planctonctl try starts one to look at',
  },
};

/** What is wrong with pilots that do not come to life, and what the reader can do. */
export function failingWords({ kind, start, soon }: FailingPilots): Words & { readonly code: FaultCode } {
  const doing = soon ? ASKED_AGAIN : SELDOM;
  if (kind !== 'host') return { doing, ...BY_KIND[kind] };
  const unknown = { what: 'the container engine cannot start pilots', cure: 'journalctl -u docker -u containerd' };
  return { code: 'engine-starts', doing, ...(start === undefined ? unknown : LACKING[start]) };
}
