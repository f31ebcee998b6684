//! Recognises credentials by their form, wherever they stand in a text: private keys, JSON Web
//! Tokens, URLs with a password, and keys with the prefix of their issuer.
//!
//! `rules.rs` holds the prefixes and where they come from. Placeholders (`https://me:${PASSWORD}@…`)
//! and the issuers' own examples are no credentials.

mod rules;

use rules::{FORMS, KEYS, is_base64url};

/// What the first credential in a text is, with an article; `None` if there is none.
///
/// ```
/// use nacre_layers::credentials::find;
///
/// assert_eq!(find("postgres://app:hunter2@db/app"), Some("a URL with a password"));
/// assert_eq!(find("postgres://app:${DB_PASSWORD}@db/app"), None);
/// assert_eq!(find("see https://example.com/a@b"), None);
/// ```
pub fn find(text: &str) -> Option<&'static str> {
    if has_key(text) {
        return Some("a private key");
    }
    if has_url_with_password(text) {
        return Some("a URL with a password");
    }
    // Credentials are words, so each starts after the end of the previous one.
    let mut rest = text.as_bytes();
    loop {
        let begin = rest.iter().position(|byte| is_base64url(*byte))?;
        rest = rest.get(begin..)?;
        let end = rest
            .iter()
            .position(|byte| !is_base64url(*byte) && *byte != b'.')
            .unwrap_or(rest.len());
        let (word, after) = rest.split_at_checked(end)?;
        if let Some(found) = credential(word) {
            return Some(found);
        }
        rest = after;
    }
}

// To look for a character and then compare takes less code than to look for a text.

fn has_key(text: &str) -> bool {
    let dashes = text.match_indices('-');
    let mut begun = dashes.filter_map(|(at, _)| text.get(at..)?.strip_prefix("-----BEGIN "));
    begun.any(|after| {
        KEYS.iter()
            .any(|key| after.strip_prefix(key).is_some_and(|after| after.starts_with("-----")))
    })
}

/// `scheme://user:password@host` (RFC 3986 §3.2.1).
fn has_url_with_password(text: &str) -> bool {
    text.match_indices(':').any(|(at, _)| {
        let (before, after) = text.split_at_checked(at).unwrap_or_default();
        let Some(part) = after.strip_prefix("://") else { return false };
        let has_scheme = before.ends_with(|last: char| last.is_ascii_alphanumeric());
        let end = part.find(|c: char| c.is_whitespace() || "/?#\"'`<>\\".contains(c));
        let authority = part.get(..end.unwrap_or(part.len())).unwrap_or_default();
        has_scheme
            && authority
                .rsplit_once('@')
                .and_then(|(login, host)| Some((login.split_once(':')?.1, host)))
                .is_some_and(|(password, host)| !host.is_empty() && !is_placeholder(password))
    })
}

/// Whether a text stands for a password: empty, a variable, or a mask. Braces and brackets are not
/// allowed in a URL; stars and parentheses are, so a password may have one.
fn is_placeholder(password: &str) -> bool {
    let first = password.chars().next();
    let is_mask = |mark| password.len() > 2 && password.chars().all(|c| c == mark);
    first.is_none_or(|first| first == '$' || is_mask(first))
        || password.contains(['{', '}', '[', ']'])
        || password.as_bytes().windows(2).any(|pair| pair == b"**")
        || (password.starts_with('(') && password.ends_with(')'))
}

fn credential(word: &[u8]) -> Option<&'static str> {
    if is_web_token(word) {
        return Some("a JSON Web Token");
    }
    // In a sentence a full stop may follow.
    let whole = word.trim_ascii_end();
    let whole = whole.strip_suffix(b".").unwrap_or(whole);
    let first = word.split(|byte| *byte == b'.').next().unwrap_or(word);
    let form = FORMS.iter().find(|form| {
        [whole, first].into_iter().any(|word| {
            word.strip_prefix(form.prefix.as_bytes()).is_some_and(|rest| {
                (form.at_least..=form.at_most).contains(&rest.len())
                    && rest.iter().all(|byte| (form.alphabet)(*byte))
                    // The issuer's own examples, e.g. in the AWS documents.
                    && !rest.ends_with(b"EXAMPLE")
            })
        })
    })?;
    Some(form.name)
}

/// Three parts of base64url; the first two are JSON objects, so they begin with `{"`.
fn is_web_token(word: &[u8]) -> bool {
    let mut parts = word.split(|byte| *byte == b'.');
    let (Some(header), Some(claims), Some(signature), None | Some(b"")) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let is_object = |part: &[u8]| part.starts_with(b"eyJ") && part.len() >= 14;
    is_object(header)
        && is_object(claims)
        && signature.len() >= 10
        && [header, claims, signature].into_iter().flatten().all(|byte| is_base64url(*byte))
}

#[cfg(test)]
mod tests {
    use std::string::{String, ToString};

    use super::*;

    #[test]
    fn every_rule_finds_its_form_and_nothing_shorter() {
        for form in &rules::FORMS {
            let letter = if (form.alphabet)(b'g') { "g" } else { "A" };
            let of = |length: usize| String::from(form.prefix) + &letter.repeat(length);
            assert_eq!(find(&of(form.at_least)), Some(form.name), "{}", form.prefix);
            assert_eq!(find(&(of(form.at_most) + ".")), Some(form.name), "{}", form.prefix);
            assert_eq!(find(&of(form.at_least - 1)), None, "{}", form.prefix);
            assert_eq!(find(&("x".to_string() + &of(form.at_least))), None, "{}", form.prefix);
        }
    }

    #[test]
    fn urls_with_a_password_are_found() {
        for text in [
            "postgres://app:hunter2@db/app",
            "see https://me:pass@example.com.",
            "redis://:p%40ss@cache:6379/0",
            "mongodb+srv://a:b@c",
            "x=amqp://u:p@h y",
            "postgres://app:hunt*r(2)@db/app",
            "https://example.com then ftp://u:p@h",
        ] {
            assert_eq!(find(text), Some("a URL with a password"), "{text}");
        }
        for text in [
            "https://example.com:8080/a:b@c",
            "https://example.com/?q=a:b@c",
            "ssh://git@example.com:22/x",
            "git@example.com:a/b",
            "https://me:@example.com",
            "https://me:$PASSWORD@example.com",
            "https://me:${PASSWORD}@example.com",
            "https://me:{{ password }}@example.com",
            "https://me:%{hiera('a::b')}@example.com",
            "https://me:<password>@example.com",
            "https://me:***@example.com",
            "https://me:h****r@example.com",
            "https://me:(password)@example.com",
            "https://me:[password]@example.com",
            "https://me:xxxx@example.com",
            "://a:b@c",
            "https://a:b@",
        ] {
            assert_eq!(find(text), None, "{text}");
        }
    }
}
