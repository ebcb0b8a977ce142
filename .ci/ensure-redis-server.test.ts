import { describe, expect, it } from 'vitest';
import { ensureRedisServer, type Machine } from './ensure-redis-server.ts';

/** A machine on which some commands run, and a log of what was run. */
function machineOf(present: string[], rest: Partial<Machine> = {}) {
  const ran: string[] = [];
  const runs = (command: string, ...args: readonly string[]) => {
    ran.push([command, ...args].join(' '));
    if (command === 'flock' && rest.mayInstall === true) present.push('redis-server');
    return present.includes(command);
  };
  return {
    ran,
    machine: { environment: {}, mayInstall: false, runs, tell: (line: string) => ran.push(line), ...rest },
  };
}

describe('ensureRedisServer', () => {
  it('installs nothing where a server is there', () => {
    const { ran, machine } = machineOf(['redis-server'], { mayInstall: true });
    ensureRedisServer(machine);
    expect(ran).toEqual(['redis-server --version']);
  });

  it('takes the server that REDIS_SERVER names, and installs none in its place', () => {
    const environment = { REDIS_SERVER: '/opt/redis' };
    const named = machineOf(['/opt/redis'], { environment });
    ensureRedisServer(named.machine);
    expect(named.ran).toEqual(['/opt/redis --version']);
    expect(() => ensureRedisServer(machineOf(['redis-server'], { environment }).machine)).toThrow(
      'REDIS_SERVER names /opt/redis, which does not run',
    );
  });

  it('installs a missing server once, however many runs want it', () => {
    const { ran, machine } = machineOf([], { mayInstall: true });
    ensureRedisServer(machine);
    expect(ran).toEqual([
      'redis-server --version',
      'redis-server is missing: installing it with apt-get',
      expect.stringMatching(/^flock \S+ sh -c redis-server --version \|\| .*apt-get install/),
      'redis-server --version',
    ]);
  });

  it('says what to do where it may not install, or could not', () => {
    expect(() => ensureRedisServer(machineOf([]).machine)).toThrow(/none on PATH. Install it .*REDIS_SERVER/);
    const { machine } = machineOf([], { mayInstall: true, runs: () => false });
    expect(() => ensureRedisServer(machine)).toThrow(/apt-get could not install it. Install it/);
  });
});
