/** The device protocol as an AsyncAPI 3 document, made from the schemas that check the messages. */
import { closes, transportCloses } from './closeCodes.js';
import { controllerMessageSchemas, deviceMessageSchemas, protocolName } from './messages.js';

type MessageType = keyof typeof deviceMessageSchemas | keyof typeof controllerMessageSchemas;

const devicesChannel = '#/channels/devices';

/** What answers a message, where something does. */
const repliesTo: Partial<Record<MessageType, readonly MessageType[]>> = {
  hello: ['welcome', 'error'],
  telemetry: ['error'],
  cut: ['prepared', 'ack', 'nack', 'fallback'],
};

function messageOf(name: string, schema: object): object {
  const { description } = schema as { readonly description?: string };
  return {
    name,
    ...(description === undefined ? {} : { summary: description }),
    contentType: 'application/json',
    payload: schema,
  };
}

/** @param action as the controller sees it */
function operationOf(name: MessageType, action: 'send' | 'receive'): object {
  const ref = (type: string) => ({ $ref: `${devicesChannel}/messages/${type}` });
  const replies = repliesTo[name];
  return {
    action,
    channel: { $ref: devicesChannel },
    messages: [ref(name)],
    ...(replies === undefined
      ? {}
      : { reply: { channel: { $ref: devicesChannel }, messages: replies.map(ref) } }),
  };
}

function namesOf(schemas: object): MessageType[] {
  return Object.keys(schemas) as MessageType[];
}

const schemas = { ...deviceMessageSchemas, ...controllerMessageSchemas };

const info = {
  title: 'Cutpoint device protocol',
  version: '1.0.0',
  description:
    `End devices, edges and clouds of a controller, over WebSocket with the subprotocol ${protocolName}. One JSON object ` +
    'per text frame, its kind in `type`. Telemetry at most once; cuts at least once and idempotent; decisions ' +
    'durable. The rules between the frames are in protocol.md.',
  license: { name: 'Apache-2.0' },
};

function serverOf(protocol: 'ws' | 'wss'): object {
  return {
    host: '{host}',
    protocol,
    variables: { host: { default: 'localhost:8080', description: 'Address and port of the controller' } },
    security: [{ $ref: '#/components/securitySchemes/deviceToken' }],
  };
}

function devicesChannelDocument(): object {
  return {
    address: '/v1/devices',
    description: 'One connection per device; actions are as the controller sees them',
    messages: Object.fromEntries(
      Object.keys(schemas).map((name) => [name, { $ref: `#/components/messages/${name}` }]),
    ),
    bindings: {
      ws: {
        method: 'GET',
        headers: {
          type: 'object',
          required: ['Sec-WebSocket-Protocol'],
          properties: { 'Sec-WebSocket-Protocol': { type: 'string', const: protocolName } },
        },
      },
    },
    'x-close-codes': { ...closes, ...transportCloses },
  };
}

function componentsDocument(): object {
  return {
    messages: Object.fromEntries(
      Object.entries(schemas).map(([name, schema]) => [name, messageOf(name, schema)]),
    ),
    securitySchemes: {
      deviceToken: {
        type: 'http',
        scheme: 'bearer',
        description: 'Token of the device, in the header Authorization of the upgrade',
      },
    },
  };
}

/** @returns plain JSON; a new object at each call */
export function asyncApiDocument(): object {
  const document = {
    asyncapi: '3.0.0',
    info,
    defaultContentType: 'application/json',
    servers: { plain: serverOf('ws'), encrypted: serverOf('wss') },
    channels: { devices: devicesChannelDocument() },
    operations: Object.fromEntries([
      ...namesOf(deviceMessageSchemas).map((name) => [name, operationOf(name, 'receive')] as const),
      ...namesOf(controllerMessageSchemas).map((name) => [name, operationOf(name, 'send')] as const),
    ]),
    components: componentsDocument(),
  };
  // what schemas carry for the compiler is none of the document
  return JSON.parse(JSON.stringify(document)) as object;
}
