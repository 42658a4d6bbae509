/** What must hold between the values of the configuration. */
import { isIP } from 'node:net';
import type { Config } from './configSchema.js';

export interface ConfigProblem {
  /** The key as written in the file, e.g. `listen.port`; a name that is no key as it was found. */
  readonly key: string;
  /** Where it was given: the file, the variable, `command line`; `together with …` where no single one is wrong. */
  readonly source: string;
  readonly message: string;
}

/** Values that are right each by itself and wrong together. */
export function contradictions({ listen, limits, decisions }: Config): ConfigProblem[] {
  return [...ofListen(listen), ...ofTimeToLive(decisions.timeToLiveMs, 3 * limits.heartbeatMs)];
}

function ofTimeToLive(timeToLiveMs: number, deadAfterMs: number): ConfigProblem[] {
  if (timeToLiveMs > deadAfterMs) return [];
  return [
    {
      key: 'decisions.timeToLiveMs',
      source: 'together with limits.heartbeatMs',
      message: `${timeToLiveMs} must be more than three heartbeats (${deadAfterMs}): else devices leave their cut in a pause of the link`,
    },
  ];
}

function ofListen(listen: Config['listen']): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const { headersTimeoutMs, requestTimeoutMs } = listen;
  if (requestTimeoutMs < headersTimeoutMs) {
    problems.push({
      key: 'listen.requestTimeoutMs',
      source: 'together with listen.headersTimeoutMs',
      message: `${requestTimeoutMs} is less than listen.headersTimeoutMs (${headersTimeoutMs}), which is a part of it`,
    });
  }
  const wrong = (key: string, message: string) =>
    problems.push({ key, source: 'together with the rest of listen', message });
  const hasCertificate = listen.tlsCertificateFile !== '';
  if (hasCertificate !== (listen.tlsKeyFile !== '')) {
    wrong(
      hasCertificate ? 'listen.tlsKeyFile' : 'listen.tlsCertificateFile',
      'listen.tlsCertificateFile and listen.tlsKeyFile belong together: give both, or none',
    );
  } else if (!hasCertificate && !listen.insecure && !isLoopback(listen.host)) {
    wrong(
      'listen.host',
      `${listen.host} lets other machines in, and without TLS keys and tokens would cross the network in clear text; ` +
        'give listen.tlsCertificateFile and listen.tlsKeyFile, ' +
        'or set listen.insecure to true where something else protects that network',
    );
  }
  for (const proxy of proxiesOf(listen)) {
    if (isAddressOrNetwork(proxy)) continue;
    problems.push({
      key: 'listen.trustProxy',
      source: 'as it is given',
      message: `"${proxy}" is neither an address nor a network such as 10.1.0.0/16`,
    });
  }
  return problems;
}

/** The proxies whose word counts for the address of the other end. */
export function proxiesOf({ trustProxy }: Pick<Config['listen'], 'trustProxy'>): readonly string[] {
  return trustProxy.trim() === '' ? [] : trustProxy.split(',').map((part) => part.trim());
}

function isAddressOrNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  const version = isIP(address);
  if (version === 0 || more.length > 0) return false;
  if (bits === undefined) return true;
  // a network of everybody would believe everybody
  return /^\d{1,3}$/.test(bits) && Number(bits) >= 1 && Number(bits) <= (version === 4 ? 32 : 128);
}

/** Can only this machine reach it? A name counts as reachable unless it is localhost. */
function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '::1') return true;
  return isIP(host) === 4 && host.startsWith('127.');
}
