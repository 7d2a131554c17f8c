"""Django OAuth Toolkit in a Django project of one file, as its documentation mounts it: PKCE optional, OpenID Connect, registration and devices on."""

import os

import django
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings

ISSUER = os.environ["ISSUER"]
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
LOGIN = """<!doctype html><html lang="en"><title>Sign in</title><h1>Sign in</h1><form method="post">{% csrf_token %}{{ form.as_p }}<button>Go on</button></form>"""
settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["DATABASE"]}},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "oauth2_provider"],
    LOGGING={
        "version": 1,
        "handlers": {"stderr": {"class": "logging.StreamHandler"}},
        "loggers": {"django.request": {"handlers": ["stderr"], "level": "ERROR"}},
    },
    LOGIN_URL="/accounts/login/",
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    OAUTH2_PROVIDER={
        "DCR_ENABLED": True,
        "DCR_REGISTRATION_PERMISSION_CLASSES": ["oauth2_provider.dcr.AllowAllDCRPermission"],
        "OAUTH2_VALIDATOR_CLASS": "project.Validator",
        "OAUTH_DEVICE_VERIFICATION_URI": f"{ISSUER}/o/device/",
        "OAUTH_DEVICE_VERIFICATION_URI_COMPLETE": lambda user_code: f"{ISSUER}/o/device/?user_code={user_code}",
        "OIDC_ENABLED": True,
        "OIDC_ISS_ENDPOINT": f"{ISSUER}/o",
        "OIDC_RP_INITIATED_LOGOUT_ALWAYS_PROMPT": False,
        "OIDC_RP_INITIATED_LOGOUT_ENABLED": True,
        "OIDC_RSA_PRIVATE_KEY": KEY.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode(),
        "PKCE_REQUIRED": False,
        "SCOPES": {name: name for name in ("read:items", "write:items", "openid", "profile", "email", "offline_access", "introspection")},
    },
    # As Django's documentation has it for tests: the others are slow on purpose.
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    ROOT_URLCONF="project",
    SECRET_KEY="real-software",
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {
                "context_processors": ["django.template.context_processors.request", "django.contrib.auth.context_processors.auth"],
                "loaders": [
                    ("django.template.loaders.locmem.Loader", {"registration/login.html": LOGIN}),
                    "django.template.loaders.app_directories.Loader",
                ],
            },
        }
    ],
    USE_TZ=True,
)
django.setup()

from django.contrib.auth import get_user_model
from django.contrib.auth.views import LoginView
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.urls import include, path
from oauth2_provider.models import get_application_model
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.urls import metadata_urlpatterns


class Validator(OAuth2Validator):
    """Every client may do everything here: what a strict one may not is for the gate to say."""

    def validate_grant_type(self, *_, **__):
        return True

    def validate_response_type(self, *_, **__):
        return True

    def get_additional_claims(self):
        return {"name": lambda request: request.user.get_full_name(), "email": lambda request: request.user.email}


urlpatterns = [
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
    path("", include((metadata_urlpatterns, "oauth2_provider"), namespace="metadata")),
    path("accounts/login/", LoginView.as_view()),
]


def populate():
    call_command("migrate", verbosity=0)
    get_user_model().objects.create_user("alice", "alice@example.com", "alice", first_name="Alice")
    for client, host, asks in (
        ("tpc_public01", "partner", False),
        ("tpc_conf01", "partner", False),
        ("tpc_consent01", "partner", True),
        ("first_portal", "portal", True),
        ("legacy_partner", "legacy", True),
    ):
        get_application_model().objects.create(
            client_id=client,
            client_secret="" if client == "tpc_public01" else "s3cr3t",
            client_type="public" if client == "tpc_public01" else "confidential",
            authorization_grant_type="authorization-code",
            algorithm="RS256",
            name=client,
            redirect_uris=f"https://{host}.example.com/callback",
            post_logout_redirect_uris=f"https://{host}.example.com/bye",
            skip_authorization=not asks,
        )


populate()
application = get_wsgi_application()
