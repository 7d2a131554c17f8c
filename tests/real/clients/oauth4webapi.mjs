// oauth4webapi 3, as its examples write a client.
import * as oauth from 'oauth4webapi';
import { algorithm, browse, done, given, prompt, resource } from './common.mjs';

const insecure = { [oauth.allowInsecureRequests]: true };
const issuer = new URL(given.ISSUER);
const server = given.METADATA
  ? await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm, ...insecure }))
  : { issuer: given.ISSUER, authorization_endpoint: given.AUTHORIZE, token_endpoint: given.TOKEN };
const client = { client_id: given.CLIENT_ID };
const authentication = given.CLIENT_SECRET ? oauth.ClientSecretBasic(given.CLIENT_SECRET) : oauth.None();
if (given.FLOW === 'client_credentials') {
  const asked = new URLSearchParams({ scope: given.SCOPE, ...resource });
  const response = await oauth.clientCredentialsGrantRequest(server, client, authentication, asked, insecure);
  done(await oauth.processClientCredentialsResponse(server, client, response));
}
const verifier = oauth.generateRandomCodeVerifier();
const state = oauth.generateRandomState();
const url = new URL(server.authorization_endpoint);
url.search = new URLSearchParams({
  client_id: given.CLIENT_ID,
  redirect_uri: given.REDIRECT_URI,
  response_type: 'code',
  scope: given.SCOPE,
  state,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
  ...prompt,
  ...resource,
});
const answer = oauth.validateAuthResponse(server, client, await browse(url.href), state);
const response = await oauth.authorizationCodeGrantRequest(server, client, authentication, answer, given.REDIRECT_URI, verifier, insecure);
const tokens = await oauth.processAuthorizationCodeResponse(server, client, response);
let refreshed;
if (tokens.refresh_token) {
  const again = await oauth.refreshTokenGrantRequest(server, client, authentication, tokens.refresh_token, insecure);
  refreshed = await oauth.processRefreshTokenResponse(server, client, again);
}
done(tokens, refreshed);
