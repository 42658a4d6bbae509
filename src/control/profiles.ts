/** The profiles of the models: one taken at the import, others uploaded from the machines of the devices. */
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Profile } from '../core/profile.js';
import { ControlError, notFound } from './controlError.js';
import type { Clock, Events, Store } from './ports.js';
import type { ModelRecord, ProfileRecord } from './records.js';

export class Profiles {
  readonly #ofModel = new Map<string, ProfileRecord[]>();

  constructor(
    private readonly store: Store,
    private readonly clock: Clock,
    private readonly events: Events,
    private readonly maxPerModel: number,
  ) {}

  load(modelId: string): void {
    this.#ofModel.set(modelId, this.store.profiles(modelId));
  }

  ofModel(modelId: string): readonly ProfileRecord[] {
    return this.#ofModel.get(modelId) ?? [];
  }

  get(modelId: string, id: string): ProfileRecord {
    const found = this.ofModel(modelId).find((profile) => profile.id === id);
    if (found === undefined) throw notFound('profile', id);
    return found;
  }

  /** One that is equal in every value to a kept one is that one. */
  #add(modelId: string, profile: Profile): { record: ProfileRecord; existed: boolean } {
    const all = this.ofModel(modelId);
    const same = all.find((kept) => kept.origin === 'upload' && isDeepStrictEqual(kept.profile, profile));
    if (same !== undefined) return { record: same, existed: true };
    if (all.length >= this.maxPerModel) {
      this.events.capHit('profilesPerModel', { modelId, cap: this.maxPerModel });
      throw new ControlError(
        'limit',
        'too-many-profiles',
        `A model keeps at most ${this.maxPerModel} profiles; delete one first, or raise limits.maxProfilesPerModel.`,
      );
    }
    const record = this.#record(modelId, 'upload', profile);
    this.store.saveProfile(record);
    this.#ofModel.set(modelId, [...all, record]);
    return { record, existed: false };
  }

  #record(modelId: string, origin: ProfileRecord['origin'], profile: Profile): ProfileRecord {
    return { id: randomUUID(), modelId, origin, profile, createdAtMs: this.clock.nowMs() };
  }

  /** A model is ready together with the profile that its import took, or, after a crash between, not at all. */
  imported(ready: ModelRecord, profile: Profile): void {
    const record = this.#record(ready.id, 'import', profile);
    this.store.saveImport(ready, record);
    this.#ofModel.set(ready.id, [...this.ofModel(ready.id), record]);
  }

  /** Keeps an uploaded profile. @throws ControlError `invalid` where it is not of this model */
  upload(model: ModelRecord, profile: Profile): { record: ProfileRecord; existed: boolean } {
    if (model.graph === null) {
      throw new ControlError(
        'conflict',
        'model-not-ready',
        `Model ${model.id} is not imported (${model.status}).`,
      );
    }
    try {
      checkOfModel(model.sha256, model.graph.layers, profile);
    } catch (error) {
      if (error instanceof ControlError) this.events.refused('profile', error.code, { modelId: model.id });
      throw error;
    }
    return this.#add(model.id, profile);
  }

  remove(modelId: string, id: string): void {
    this.get(modelId, id);
    this.store.deleteProfile(id);
    this.#ofModel.set(
      modelId,
      this.ofModel(modelId).filter((profile) => profile.id !== id),
    );
  }

  forgetModel(modelId: string): void {
    this.#ofModel.delete(modelId);
  }
}

function checkOfModel(sha256: string, layers: readonly { readonly name: string }[], profile: Profile): void {
  if (profile.modelSha256 !== sha256) {
    throw new ControlError(
      'invalid',
      'profile-of-another-model',
      `The profile was taken with another file (SHA-256 ${profile.modelSha256}, the model has ${sha256}).`,
      'modelSha256',
    );
  }
  if (profile.layers.length !== layers.length) {
    throw new ControlError(
      'invalid',
      'profile-layers',
      `The profile has ${profile.layers.length} layers, the model ${layers.length}: take it with the same version and inputs.`,
      'layers',
    );
  }
  const different = layers.findIndex((layer, index) => layer.name !== profile.layers[index]!.name);
  if (different !== -1) {
    throw new ControlError(
      'invalid',
      'profile-layers',
      `Layer ${different} is ${JSON.stringify(layers[different]!.name)} in the model, not ${JSON.stringify(profile.layers[different]!.name)}.`,
      `layers[${different}].name`,
    );
  }
}
