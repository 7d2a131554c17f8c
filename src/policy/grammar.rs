//! The grammars of values (RFC 6749 Appendix A).

use crate::parameters::Parameters;
use crate::violation::{Breach, Violation};

/// Refuses values that are outside the grammar of their parameter: control
/// characters cut, split or hide what stands behind them (RFC 6749 Appendix A).
pub(crate) fn values_keep_their_grammar(parameters: &Parameters) -> Result<(), Breach> {
    let keeps = |name: &str, value: &str| match name {
        "max_age" => !value.is_empty() && value.len() <= 9 && value.bytes().all(|byte| byte.is_ascii_digit()),
        "nonce" => value.len() <= 256 && is_vschar(value),
        // The SHA-256 thumbprint of a key in base64url (RFC 9449 §10).
        "dpop_jkt" => value.len() == 43 && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')),
        "client_id" | "client_secret" | "code" | "refresh_token" | "state" => is_vschar(value),
        // Their own rules judge them.
        "code_challenge"
        | "code_challenge_method"
        | "code_verifier"
        | "grant_type"
        | "prompt"
        | "redirect_uri"
        | "response_mode"
        | "response_type"
        | "scope" => true,
        _ => value.chars().all(|c| !c.is_control()),
    };
    match parameters.iter().find(|(name, value)| !keeps(name, value)) {
        Some((name, _)) => Err(Breach::of(Violation::ParameterValueMalformed, name)),
        None => Ok(()),
    }
}

/// Refuses a scope with other characters than a scope has:
/// `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )`, separated by spaces (RFC 6749 §3.3).
pub(crate) fn scope_keeps_its_grammar(parameters: &Parameters) -> Result<(), Breach> {
    match parameters.get("scope") {
        Some(scope) if !scope_is_well_formed(scope) => Err(Breach::of(Violation::ScopeMalformed, "scope")),
        Some(_) | None => Ok(()),
    }
}

/// Whether a text is a scope.
pub(crate) fn scope_is_well_formed(scope: &str) -> bool {
    scope.bytes().all(|byte| matches!(byte, 0x20 | 0x21 | 0x23..=0x5B | 0x5D..=0x7E))
}

/// `VSCHAR = %x20-7E` (RFC 6749 Appendix A).
fn is_vschar(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, 0x20..=0x7E))
}
