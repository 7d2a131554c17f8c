// openid-client 6, as its documentation writes a client.
import * as client from 'openid-client';
import { algorithm, browse, done, given, prompt, resource } from './common.mjs';

const authentication = given.CLIENT_SECRET ? client.ClientSecretBasic(given.CLIENT_SECRET) : client.None();
const options = { algorithm, execute: [client.allowInsecureRequests] };
let config;
if (given.METADATA) {
  config = await client.discovery(new URL(given.ISSUER), given.CLIENT_ID, undefined, authentication, options);
} else {
  const server = { issuer: given.ISSUER, authorization_endpoint: given.AUTHORIZE, token_endpoint: given.TOKEN };
  config = new client.Configuration(server, given.CLIENT_ID, undefined, authentication);
  client.allowInsecureRequests(config);
}
if (given.FLOW === 'client_credentials') {
  done(await client.clientCredentialsGrant(config, { scope: given.SCOPE, ...resource }));
}
const pkceCodeVerifier = client.randomPKCECodeVerifier();
const expectedState = client.randomState();
const url = client.buildAuthorizationUrl(config, {
  redirect_uri: given.REDIRECT_URI,
  scope: given.SCOPE,
  state: expectedState,
  code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
  code_challenge_method: 'S256',
  ...prompt,
  ...resource,
});
const tokens = await client.authorizationCodeGrant(config, await browse(url.href), { pkceCodeVerifier, expectedState });
done(tokens, tokens.refresh_token && await client.refreshTokenGrant(config, tokens.refresh_token));
