/** Every message of the device protocol, version 1: one schema gives the check, the type and the documentation. */
import type { Static } from 'typebox';
import type { controllerMessageSchemas } from './controllerMessages.js';
import type { deviceMessageSchemas } from './deviceMessages.js';

export { controllerMessageSchemas, protocolName } from './controllerMessages.js';
export { deviceMessageSchemas, measuredStages } from './deviceMessages.js';

export type DeviceMessageType = keyof typeof deviceMessageSchemas;
export type ControllerMessageType = keyof typeof controllerMessageSchemas;

/** A message of a device as it is written: null stands for what is not known, and so does absence. */
export type DeviceMessageOf<Type extends DeviceMessageType> = Static<(typeof deviceMessageSchemas)[Type]>;
export type ControllerMessageOf<Type extends ControllerMessageType> = Static<
  (typeof controllerMessageSchemas)[Type]
>;

export type DeviceMessage = { [Type in DeviceMessageType]: DeviceMessageOf<Type> }[DeviceMessageType];
export type ControllerMessage = {
  [Type in ControllerMessageType]: ControllerMessageOf<Type>;
}[ControllerMessageType];

export type CutMessage = ControllerMessageOf<'cut'>;
