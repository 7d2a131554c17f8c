// The OAuth client of the MCP TypeScript SDK: discovery from the resource, the issuer's metadata, code and PKCE, refresh; client credentials.
// The arguments: the scopes that the MCP server names, and the modules of the SDK, which both generations use in the same way.
import { browse, done, given } from './common.mjs';

const [, , scopes, ...modules] = process.argv;
const { auth, ClientCredentialsProvider } = Object.assign({}, ...await Promise.all(modules.map((name) => import(name))));

const serverUrl = given.MCP_SERVER;
// The MCP server is no machine of ours: only its metadata (RFC 9728) are answered here, all else goes out.
const metadata = { resource: serverUrl, authorization_servers: [given.ISSUER], scopes_supported: scopes.split(' ') };
const fetchFn = async (url, init) => (String(url).startsWith(new URL(serverUrl).origin)
  ? Response.json(metadata)
  : fetch(url, init));

if (given.FLOW === 'client_credentials') {
  const provider = new ClientCredentialsProvider({
    clientId: given.CLIENT_ID, clientSecret: given.CLIENT_SECRET, expectedIssuer: given.ISSUER,
  });
  await auth(provider, { serverUrl, fetchFn });
  done(provider.tokens());
}
const kept = {};
const provider = {
  redirectUrl: given.REDIRECT_URI,
  clientMetadata: { client_name: 'agent', redirect_uris: [given.REDIRECT_URI], grant_types: ['authorization_code', 'refresh_token'] },
  clientInformation: () => ({ client_id: given.CLIENT_ID, client_secret: given.CLIENT_SECRET || undefined }),
  discoveryState: () => kept.discovery,
  saveDiscoveryState: (state) => { kept.discovery = state; },
  tokens: () => kept.tokens,
  saveTokens: (tokens) => { kept.tokens = tokens; },
  redirectToAuthorization: (url) => { kept.url = url; },
  saveCodeVerifier: (verifier) => { kept.verifier = verifier; },
  codeVerifier: () => kept.verifier,
  state: () => 'state-of-mcp',
};
await auth(provider, { serverUrl, fetchFn });
const back = await browse(kept.url.href);
if (back.searchParams.get('state') !== 'state-of-mcp') throw new Error('the state is not ours');
await auth(provider, {
  serverUrl, fetchFn, authorizationCode: back.searchParams.get('code'), iss: back.searchParams.get('iss') ?? undefined,
});
const first = kept.tokens;
if (first.refresh_token) await auth(provider, { serverUrl, fetchFn });
done(first, first.refresh_token && kept.tokens);
