// The OAuth client of the MCP TypeScript SDK: discovery from the resource, the issuer's metadata, code and PKCE, refresh.
import { auth } from '@modelcontextprotocol/sdk/client/auth.js';
import { browse, done, given } from './common.mjs';

const server = given.RESOURCE;
// The MCP server is no machine of ours: only its metadata (RFC 9728) are answered here, all else goes out.
const metadata = { resource: server, authorization_servers: [given.ISSUER], scopes_supported: ['read:items', 'offline_access'] };
const fetchFn = async (url, init) => (String(url).startsWith(new URL(server).origin)
  ? Response.json(metadata)
  : fetch(url, init));

const kept = {};
const provider = {
  redirectUrl: given.REDIRECT_URI,
  clientMetadata: { client_name: 'agent', redirect_uris: [given.REDIRECT_URI], grant_types: ['authorization_code', 'refresh_token'] },
  clientInformation: () => ({ client_id: given.CLIENT_ID, client_secret: given.CLIENT_SECRET || undefined }),
  tokens: () => kept.tokens,
  saveTokens: (tokens) => { kept.tokens = tokens; },
  redirectToAuthorization: (url) => { kept.url = url; },
  saveCodeVerifier: (verifier) => { kept.verifier = verifier; },
  codeVerifier: () => kept.verifier,
  state: () => 'state-of-mcp',
};
await auth(provider, { serverUrl: server, fetchFn });
const back = await browse(kept.url.href);
if (back.searchParams.get('state') !== 'state-of-mcp') throw new Error('the state is not ours');
await auth(provider, {
  serverUrl: server, fetchFn, authorizationCode: back.searchParams.get('code'), iss: back.searchParams.get('iss') ?? undefined,
});
const first = kept.tokens;
if (first.refresh_token) await auth(provider, { serverUrl: server, fetchFn });
done(first, first.refresh_token && kept.tokens);
