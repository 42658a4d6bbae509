/** The TLS certificate: read from its files at the start, and again whenever their content changes. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions, type Server } from 'node:tls';
import type { Events } from '../control/ports.js';

export interface CertificateFiles {
  /** PEM: the certificate and its chain. */
  readonly certificateFile: string;
  /** PEM, without a passphrase. */
  readonly keyFile: string;
}

/** The files cannot be used; the message says which and why. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError';
  readonly code = 'certificate';
  constructor(
    message: string,
    /** A file could not be read; else its content is at fault. */
    readonly isUnreadable: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

interface Pair {
  readonly cert: string;
  readonly key: string;
}

export class Certificate {
  #tried: Pair;
  /** Why the files could not even be read the last time; null where they could. */
  #unreadable: string | null = null;
  #timer: NodeJS.Timeout | null = null;
  readonly #endsAtMs: number;
  #followed: {
    readonly server: Pick<Server, 'setSecureContext'>;
    readonly events: Pick<Events, 'certificate'>;
  } | null = null;
  /** For the server that is to be made. */
  readonly options: SecureContextOptions;

  /** @throws CertificateError */
  constructor(private readonly files: CertificateFiles) {
    this.#tried = readPair(files);
    const { options, endsAtMs } = usable(this.#tried, files);
    this.options = options;
    this.#endsAtMs = endsAtMs;
  }

  /** Looks at the files every `intervalMs` from now on, for `server`. */
  follow(
    server: Pick<Server, 'setSecureContext'>,
    intervalMs: number,
    events: Pick<Events, 'certificate'>,
  ): void {
    this.#followed = { server, events };
    events.certificate({ ok: true, endsAtMs: this.#endsAtMs });
    this.#timer = setInterval(() => this.reload(), intervalMs);
  }

  /**
   * Takes a new content of the files, if there is one. New connections get the new certificate, open ones go on.
   * What cannot be used is told once, and the certificate before stays.
   */
  reload(): void {
    try {
      const pair = readPair(this.files);
      const isBack = this.#unreadable !== null;
      this.#unreadable = null;
      if (!isBack && isSame(pair, this.#tried)) return;
      this.#tried = pair;
      const { options, endsAtMs } = usable(pair, this.files);
      this.#followed?.server.setSecureContext(options);
      this.#followed?.events.certificate({ ok: true, endsAtMs });
    } catch (error) {
      if (!(error instanceof CertificateError)) throw error;
      if (error.message === this.#unreadable) return;
      if (error.isUnreadable) this.#unreadable = error.message;
      this.#followed?.events.certificate({ ok: false, error });
    }
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }
}

function isSame(a: Pair, b: Pair): boolean {
  return a.cert === b.cert && a.key === b.key;
}

function readPair({ certificateFile, keyFile }: CertificateFiles): Pair {
  return { cert: read(certificateFile), key: read(keyFile) };
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new CertificateError(`The TLS file ${file} cannot be read (${reason}).`, true, { cause: error });
  }
}

function usable(pair: Pair, files: CertificateFiles): { options: SecureContextOptions; endsAtMs: number } {
  const options = { ...pair, minVersion: 'TLSv1.2' } as const;
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pair.cert);
    createPrivateKey(pair.key); // createSecureContext passes over an empty one
    createSecureContext(options); // also finds a key that is of another certificate
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CertificateError(
      `The TLS certificate ${files.certificateFile} with the key ${files.keyFile} cannot be used: ${reason}.`,
      false,
      { cause: error },
    );
  }
  const [startsAtMs, endsAtMs] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
  const nowMs = Date.now();
  if (nowMs >= endsAtMs || nowMs < startsAtMs) {
    const when = nowMs >= endsAtMs ? `ended at ${certificate.validTo}` : `starts at ${certificate.validFrom}`;
    throw new CertificateError(
      `The TLS certificate ${files.certificateFile} cannot be used: it ${when}.`,
      false,
    );
  }
  return { options, endsAtMs };
}
