// oidc-client-ts 3, as its documentation uses it where there is no window: its storage is in memory.
import { InMemoryWebStorage, OidcClient, WebStorageStateStore } from 'oidc-client-ts';
import { browse, done, given, prompt, resource } from './common.mjs';

const client = new OidcClient({
  authority: given.ISSUER,
  client_id: given.CLIENT_ID,
  client_secret: given.CLIENT_SECRET || undefined,
  client_authentication: given.CLIENT_SECRET ? 'client_secret_basic' : 'client_secret_post',
  redirect_uri: given.REDIRECT_URI,
  scope: given.SCOPE,
  stateStore: new WebStorageStateStore({ store: new InMemoryWebStorage() }),
  extraQueryParams: resource,
  ...prompt,
  ...(given.METADATA
    ? { metadataUrl: new URL(given.METADATA, given.ISSUER).href }
    : { metadata: { issuer: given.ISSUER, authorization_endpoint: given.AUTHORIZE, token_endpoint: given.TOKEN } }),
});
const request = await client.createSigninRequest({});
const end = await browse(request.url);
const tokens = await client.processSigninResponse(end.href);
let refreshed;
if (tokens.refresh_token) {
  const { refresh_token, id_token, session_state, scope, profile } = tokens;
  refreshed = await client.useRefreshToken({ state: { refresh_token, id_token, session_state, scope, profile } });
}
done(tokens, refreshed);
