// An authorization server with one account at a time: oidc-provider, on 127.0.0.1.
//
//     node oidc.mjs FOLDER OPTIONS     FOLDER has node_modules; OPTIONS is JSON: port, ttl (seconds)
//
// It prints a line once it serves, and ends when stdin does. Clients: `native` is public, `basic` and
// `post` have the secret `client-secret-4f1c`. PKCE is required of all, refresh tokens are rotated.
import http from 'node:http';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [folder, given] = process.argv.slice(2);
const { port, ttl } = JSON.parse(given);
const found = createRequire(`${folder}/package.json`).resolve('oidc-provider');
const { default: Provider } = await import(pathToFileURL(found).href);

const native = {
  application_type: 'native',
  redirect_uris: ['http://127.0.0.1/callback'],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  scope: 'openid offline_access post:write media:write',
};
const client_secret = 'client-secret-4f1c';
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    { ...native, client_id: 'native', token_endpoint_auth_method: 'none' },
    { ...native, client_id: 'basic', client_secret, token_endpoint_auth_method: 'client_secret_basic' },
    { ...native, client_id: 'post', client_secret, token_endpoint_auth_method: 'client_secret_post' },
  ],
  scopes: ['openid', 'offline_access', 'post:write', 'media:write'],
  pkce: { required: () => true },
  rotateRefreshToken: true,
  ttl: { AccessToken: ttl, AuthorizationCode: 30, RefreshToken: 86400, Grant: 86400, Interaction: 600,
         Session: 600, IdToken: 600 },
  features: { devInteractions: { enabled: true }, revocation: { enabled: true } },
  cookies: { keys: ['not a secret'] },
  renderError: async (ctx, out) => { ctx.type = 'json'; ctx.body = out; },
});
http.createServer(provider.callback()).listen(port, '127.0.0.1', () => console.log('ready'));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
