// oauth2-server 3.1 in an Express application, as its users mount it: no PKCE, the password grant, every client may do everything.
import { randomUUID } from 'node:crypto';
import express from 'express';
import OAuth2Server from 'oauth2-server';

const { PORT, ISSUER } = process.env;
const everyGrant = ['authorization_code', 'refresh_token', 'password', 'client_credentials'];
const client = (id, host, secret = 's3cr3t') => ({ id, secret, grants: everyGrant, redirectUris: [`https://${host}.example.com/callback`] });
const clients = [
  client('tpc_public01', 'partner', null),
  client('tpc_conf01', 'partner'),
  client('first_portal', 'portal'),
  client('legacy_partner', 'legacy'),
];
const [codes, accessTokens, refreshTokens, sessions] = [new Map(), new Map(), new Map(), new Map()];

const model = {
  // At the authorization endpoint the secret is null; a public client has none.
  getClient: async (id, secret) => clients.find((known) => known.id === id && (!secret || !known.secret || known.secret === secret)),
  getUser: async (name, password) => (name === 'alice' && password === 'alice' ? { name } : undefined),
  getUserFromClient: async (known) => ({ name: known.id }),
  validateScope: async (user, known, scope) => scope || 'read:items write:items',
  verifyScope: async () => true,
  saveAuthorizationCode: async (code, known, user) => { codes.set(code.authorizationCode, { ...code, client: known, user }); return codes.get(code.authorizationCode); },
  getAuthorizationCode: async (code) => codes.get(code),
  revokeAuthorizationCode: async (code) => codes.delete(code.authorizationCode),
  saveToken: async (token, known, user) => {
    const saved = { ...token, client: known, user };
    accessTokens.set(token.accessToken, saved);
    if (token.refreshToken) refreshTokens.set(token.refreshToken, saved);
    return saved;
  },
  getAccessToken: async (token) => accessTokens.get(token),
  getRefreshToken: async (token) => refreshTokens.get(token),
  revokeToken: async (token) => refreshTokens.delete(token.refreshToken),
};
const oauth = new OAuth2Server({
  model,
  // Per grant, not per client: that is how this product knows public clients.
  requireClientAuthentication: { authorization_code: false, refresh_token: false, password: false },
});

const app = express();
app.set('query parser', 'extended');
app.use(express.urlencoded({ extended: true }), express.json());
app.use((request, response, next) => {
  const id = /(?:^|; )o2=([^;]+)/.exec(request.headers.cookie ?? '')?.[1];
  request.session = sessions.get(id) ?? {};
  request.begin = (user) => {
    const fresh = randomUUID();
    sessions.set(fresh, { user });
    response.cookie('o2', fresh, { httpOnly: true, path: '/' });
  };
  next();
});

const escape = (text) => String(text).replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
const page = (fields) => `<!doctype html><title>Sign in</title><form method="post">${fields}<button name="yes" value="1">Go on</button></form>`;
const hidden = (name, value) => `<input type="hidden" name="${name}" value="${escape(value)}">`;
const local = (back) => (/^\/oauth\/authorize\?/.test(back) ? back : '/');

app.get('/login', (request, response) => response.send(page(`${hidden('back', request.query.back)}<input name="username"><input type="password" name="password">`)));
app.post('/login', async (request, response) => {
  const user = await model.getUser(request.body?.username, request.body?.password);
  if (!user) return response.status(403).send('no');
  request.begin(user);
  return response.redirect(303, local(request.body.back));
});
app.get('/consent', (request, response) => response.send(page(hidden('back', request.query.back))));
app.post('/consent', (request, response) => {
  request.session.agreed = request.body.back;
  response.redirect(303, local(request.body.back));
});

const library = (name) => async (request, response) => {
  const answer = new OAuth2Server.Response(response);
  const asked = new OAuth2Server.Request({ headers: request.headers, method: request.method, query: request.query, body: request.body ?? {} });
  try {
    await oauth[name](asked, answer, { authenticateHandler: { handle: () => request.session.user } });
  } catch (error) {
    if (!answer.headers.location) answer.body = { error: error.name, error_description: error.message };
    answer.status = answer.headers.location ? 302 : error.code;
  }
  response.status(answer.status).set(answer.headers).send(answer.body);
};
// The user comes back to the same URL after each page; a form that is posted here counts as consent, as in the product's examples.
app.get('/oauth/authorize', (request, response, next) => {
  const back = encodeURIComponent(request.originalUrl);
  if (!request.session.user) return response.redirect(302, `/login?back=${back}`);
  if (request.session.agreed !== request.originalUrl) return response.redirect(302, `/consent?back=${back}`);
  return next();
});
app.all('/oauth/authorize', (request, response, next) => (request.session.user ? next() : response.status(401).send('log in first')), library('authorize'));
app.post('/oauth/token', library('token'));
// The product has no metadata; whoever wants agents writes them (RFC 8414).
app.get('/.well-known/oauth-authorization-server', (request, response) => response.json({
  issuer: ISSUER,
  authorization_endpoint: `${ISSUER}/oauth/authorize`,
  token_endpoint: `${ISSUER}/oauth/token`,
  response_types_supported: ['code'],
  grant_types_supported: everyGrant,
  token_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post'],
}));
app.get('/me', async (request, response) => {
  try {
    const asked = new OAuth2Server.Request({ headers: request.headers, method: 'GET', query: request.query, body: {} });
    const token = await oauth.authenticate(asked, new OAuth2Server.Response(response));
    response.json({ sub: token.user.name, scope: token.scope });
  } catch (error) {
    response.status(error.code).json({ error: error.name });
  }
});
app.get('/logout', (request, response) => {
  delete request.session.user;
  response.redirect(303, String(request.query.post_logout_redirect_uri));
});

const server = app.listen(Number(PORT), '127.0.0.1', () => console.log('ready'));
process.on('SIGTERM', () => { server.close(); process.exit(0); });
