// node-oidc-provider as a careless tenant runs it: PKCE optional, implicit on, registration open, every feature switched on.
import Provider from 'oidc-provider';

const { PORT, ISSUER } = process.env;
const API_SCOPES = 'read:items write:items';
const everyGrant = [
  'authorization_code', 'implicit', 'refresh_token', 'client_credentials',
  'urn:ietf:params:oauth:grant-type:device_code', 'urn:openid:params:grant-type:ciba',
];
const everyResponse = ['code', 'id_token', 'id_token token', 'code id_token', 'code token', 'code id_token token', 'none'];

// Every client may do everything here: what a strict one may not is for the gate to say.
const client = (id, host, more) => ({
  client_id: id,
  client_secret: 's3cr3t',
  token_endpoint_auth_method: 'client_secret_basic',
  redirect_uris: [`https://${host}.example.com/callback`],
  post_logout_redirect_uris: [`https://${host}.example.com/bye`],
  grant_types: everyGrant,
  response_types: everyResponse,
  backchannel_token_delivery_mode: 'poll',
  ...more,
});
const publicClient = {
  client_secret: undefined,
  token_endpoint_auth_method: 'none',
  grant_types: everyGrant.filter((grant) => grant !== 'client_credentials'),
};

const provider = new Provider(ISSUER, {
  clients: [
    client('tpc_public01', 'partner', publicClient),
    client('tpc_conf01', 'partner'),
    client('first_portal', 'portal'),
    client('legacy_partner', 'legacy'),
  ],
  scopes: ['openid', 'offline_access', 'profile', 'email'],
  claims: { openid: ['sub'], profile: ['name'], email: ['email'] },
  responseTypes: everyResponse,
  pkce: { required: () => false },
  cookies: { keys: ['real-software'] },
  findAccount: (context, id) => (id === 'alice' ? { accountId: id, claims: () => ({ sub: id, name: 'Alice', email: 'alice@example.com' }) } : undefined),
  features: {
    ciba: {
      enabled: true,
      processLoginHint: (context, hint) => hint,
      processLoginHintToken: () => undefined,
      validateBindingMessage: () => undefined,
      validateRequestContext: () => undefined,
      verifyUserCode: () => undefined,
      triggerAuthenticationDevice: () => undefined,
    },
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    introspection: { enabled: true },
    registration: { enabled: true },
    registrationManagement: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (context, resource) => ({ scope: API_SCOPES, audience: resource, accessTokenFormat: 'jwt' }),
    },
  },
});
provider.proxy = true;
const server = provider.listen(Number(PORT), '127.0.0.1', () => console.log('ready'));
process.on('SIGTERM', () => { server.close(); process.exit(0); });
