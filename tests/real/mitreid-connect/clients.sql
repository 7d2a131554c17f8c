-- Laid over the file of this name in the WAR: who may come here, and how. Every client may do everything that the product has;
-- what a strict one may not do is for the gate to say. No approved site and no whitelisted one: the user is asked each time.

INSERT INTO users (username, password, enabled) VALUES ('alice', 'alice', true);
INSERT INTO authorities (username, authority) VALUES ('alice', 'ROLE_USER');
INSERT INTO user_info (sub, preferred_username, name, email, email_verified) VALUES ('alice-1', 'alice', 'Alice', 'alice@example.com', true);

INSERT INTO system_scope (scope, description) VALUES ('read:items', 'Read your items'), ('write:items', 'Change your items');

INSERT INTO client_details (client_id, client_secret, client_name, token_endpoint_auth_method, allow_introspection, access_token_validity_seconds, device_code_validity_seconds) VALUES
    ('tpc_public01', NULL, 'Partner on a phone', 'NONE', true, 3600, 600),
    ('tpc_conf01', 's3cr3t', 'Partner', 'SECRET_BASIC', true, 3600, 600),
    ('first_portal', 's3cr3t', 'Portal', 'SECRET_BASIC', true, 3600, 600),
    ('legacy_partner', 's3cr3t', 'Old partner', 'SECRET_BASIC', true, 3600, 600);

-- HSQLDB pads the values of such a list to one length.
INSERT INTO client_redirect_uri (owner_id, redirect_uri)
    SELECT id, TRIM(uri) FROM client_details, (VALUES
        ('tpc_public01', 'https://partner.example.com/callback'),
        ('tpc_conf01', 'https://partner.example.com/callback'),
        ('first_portal', 'https://portal.example.com/callback'),
        ('legacy_partner', 'https://legacy.example.com/callback')) AS of_client (name, uri)
    WHERE client_id = name;

INSERT INTO client_post_logout_redirect_uri (owner_id, post_logout_redirect_uri)
    SELECT owner_id, REPLACE(redirect_uri, '/callback', '/bye') FROM client_redirect_uri;

INSERT INTO client_scope (owner_id, scope)
    SELECT id, TRIM(scope) FROM client_details, (VALUES
        ('openid'), ('profile'), ('email'), ('offline_access'), ('read:items'), ('write:items')) AS one (scope);

INSERT INTO client_grant_type (owner_id, grant_type)
    SELECT id, TRIM(grant_type) FROM client_details, (VALUES
        ('authorization_code'), ('implicit'), ('refresh_token'), ('client_credentials'), ('password'),
        ('urn:ietf:params:oauth:grant_type:redelegate'), ('urn:ietf:params:oauth:grant-type:jwt-bearer'),
        ('urn:ietf:params:oauth:grant-type:device_code')) AS one (grant_type);
