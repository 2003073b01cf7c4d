// The reference PDS of the AT Protocol with an identity directory in memory, on 127.0.0.1 only.
//
// node pds.mjs INSTALLED OPTIONS: the folder with node_modules, and JSON with port, folder,
// secrets {jwt, admin, dpop, plc} and rateLimits. Writes one line to stdout once it serves, and
// ends when its stdin does, so that it never outlives the tests.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import net from 'node:net';

const [installed, options] = [process.argv[2], JSON.parse(process.argv[3])];
const require = createRequire(join(installed, 'package.json'));

// Neither server can be told where to listen, and the default is every address there is.
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (first, ...rest) {
  const port = typeof first === 'object' && first !== null ? first.port : first;
  const done = rest.find((argument) => typeof argument === 'function');
  return listen.call(this, { port, host: '127.0.0.1' }, done);
};

const { PlcServer, Database } = require('@did-plc/server');
const { PDS, envToCfg, envToSecrets } = require('@atproto/pds');

const directory = PlcServer.create({ db: Database.mock(), port: 0 });
const plc = await directory.start();
const { port, folder, secrets, rateLimits } = options;
const env = {
  port,
  hostname: 'localhost',
  devMode: true,
  disableSsrfProtection: true,
  dataDirectory: folder,
  actorStoreDirectory: join(folder, 'actors'),
  blobstoreDiskLocation: join(folder, 'blobs'),
  blobstoreDiskTmpLocation: join(folder, 'uploads'),
  didPlcUrl: `http://127.0.0.1:${plc.address().port}`,
  plcRotationKeyK256PrivateKeyHex: secrets.plc,
  dpopSecret: secrets.dpop,
  jwtSecret: secrets.jwt,
  adminPassword: secrets.admin,
  inviteRequired: false,
  serviceHandleDomains: ['.test'],
  crawlers: [],
  rateLimitsEnabled: rateLimits,
};
const pds = await PDS.create(envToCfg(env), envToSecrets(env));
await pds.start();
process.stdin.on('end', () => process.exit()).resume();
process.stdout.write('serving\n');
