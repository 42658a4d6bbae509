/** The certificates of one partition state graph: few, the last used first. Shared by all who decide with the graph. */
import { certify, covers, type Certificate, type CertificateBase } from './certificate.js';
import type { Problem } from './problem.js';

/** Certificates kept; asking all of them must stay cheaper than a search. */
const maxKept = 6;
/** What making one costs, in searches; as many have to be spared before the next is made. */
const price = 25;
/** Lent at the start, and the most that is saved up. */
const maxCredit = 8 * price;

export class Certificates {
  private readonly kept: Certificate[] = [];
  private credit = maxCredit;

  constructor(private readonly base: CertificateBase) {}

  /** The state that a certificate proves to be the answer; -1 where a search has to tell. */
  find(problem: Problem): number {
    for (let i = 0; i < this.kept.length; i++) {
      const certificate = this.kept[i]!;
      if (!covers(certificate, this.base, problem)) continue;
      this.kept.copyWithin(1, 0, i);
      this.kept[0] = certificate;
      this.credit = Math.min(maxCredit, this.credit + 1);
      return certificate.state;
    }
    return -1;
  }

  /**
   * Told of an answer that a search has found. Makes a certificate where that has paid so far: in contexts that
   * jump beyond every region, it does not.
   */
  learn(problem: Problem, state: number): void {
    if (this.credit < price) {
      this.credit++;
      return;
    }
    this.credit -= price;
    const { gads } = this.base;
    const { visited } = gads;
    const certificate = certify(this.base, problem, state);
    gads.visited = visited;
    if (certificate === null) return;
    if (this.kept.length === maxKept) this.kept.pop();
    this.kept.unshift(certificate);
  }
}
