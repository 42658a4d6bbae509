/** The process that plays the devices, on a core of its own. */
import { Fleet, type FleetPlan, type Offer } from './fleet.js';
import { processFigures } from './processFigures.js';
import { answerCalls } from './remote.js';
import type { Address } from './wire.js';

let fleet: Fleet | null = null;
const made = (): Fleet => {
  if (fleet === null) throw new Error('no plan yet');
  return fleet;
};

answerCalls({
  plan: (plan: FleetPlan) => {
    fleet = new Fleet(plan);
  },
  connect: () => made().connect(),
  offer: (offer: Offer) => made().offer(offer),
  answers: () => made().answers,
  moveTo: (address: Address) => made().moveTo(address),
  returned: () => made().returned(),
  running: () => made().running(),
  refusals: () => made().refusals(),
  figures: processFigures,
});
process.once('disconnect', () => process.exit(0));
