// What every Node client here has in common: how the test tells it where to go, and hears what it got.
import { createInterface } from 'node:readline/promises';

export const given = process.env;
export const resource = given.RESOURCE_NAME ? { [given.RESOURCE_NAME]: given.RESOURCE } : {};
export const prompt = given.PROMPT ? { prompt: given.PROMPT } : {};
/** Which metadata the issuer has: those of OpenID Connect Discovery, or those of RFC 8414. */
export const algorithm = given.METADATA.endsWith('/openid-configuration') ? 'oidc' : 'oauth2';

/** Lets the test's browser open a URL; the URL at which it ended. */
export async function browse(url) {
  console.log(`open ${url}`);
  const lines = createInterface({ input: process.stdin });
  const line = await lines.question('');
  lines.close();
  return new URL(line.trim());
}

export function done(tokens, refreshed) {
  const { access_token, scope, id_token } = tokens;
  console.log(`done ${JSON.stringify({ access_token, scope, id_token, refreshed: refreshed?.access_token })}`);
  process.exit(0);
}
