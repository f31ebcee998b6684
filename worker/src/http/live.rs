//! The handshake of a WebSocket (RFC 6455 §4), where it differs from other requests.
//!
//! A browser cannot send `Authorization` or `Nacre-Owner` with a handshake. The token comes as a
//! subprotocol, and the owner as a query parameter.

use super::{Head, shared::OWNER_PARAM};

/// The header that lists subprotocols.
pub const PROTOCOLS: &str = "sec-websocket-protocol";

/// The name of our subprotocol.
pub const PROTOCOL: &str = "nacre.v1";

/// The prefix of a token that comes as a subprotocol.
const BEARER: &str = "bearer.";

const PATH: &str = "/v1/live";

/// Whether a request asks for a WebSocket.
pub(super) fn is_upgrade(head: &Head<'_>) -> bool {
    let upgrade = head.headers.get("upgrade");
    head.method == "GET" && upgrade.is_some_and(|to| to.eq_ignore_ascii_case("websocket"))
}

/// The `Authorization` of a handshake whose token came as a subprotocol.
pub fn token(head: &Head<'_>) -> Option<String> {
    if head.path != PATH {
        return None;
    }
    let protocols = head.headers.get(PROTOCOLS)?;
    let token = protocols.split(',').find_map(|name| name.trim().strip_prefix(BEARER))?;
    Some(format!("Bearer {token}"))
}

/// The owner in the query, percent-encoded, if there is one.
pub(super) fn owner<'h>(head: &Head<'h>) -> Option<&'h str> {
    if head.path != PATH {
        return None;
    }
    let parameters = head.query.split('&');
    parameters
        .filter_map(|parameter| parameter.split_once('='))
        .find_map(|(name, value)| (name == OWNER_PARAM).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with<T>(
        path: &str,
        query: &str,
        name: &str,
        value: &str,
        ask: impl Fn(&Head<'_>) -> T,
    ) -> T {
        let headers = vec![(name.to_owned(), value.to_owned())];
        ask(&Head { method: "GET", path, query, headers: &headers })
    }

    #[test]
    fn a_token_comes_as_a_subprotocol_of_this_path_alone() {
        let protocols = "nacre.v1,  bearer.a.b.c";
        assert_eq!(with(PATH, "", PROTOCOLS, protocols, token), Some("Bearer a.b.c".into()));
        assert_eq!(with("/v1/contexts", "", PROTOCOLS, protocols, token), None);
        assert_eq!(with(PATH, "", PROTOCOLS, "nacre.v1", token), None);
    }

    #[test]
    fn an_owner_comes_in_the_query_of_this_path_alone() {
        let owner = |path: &str, query: &str| {
            with(path, query, "x", "", |head| super::owner(head).map(String::from))
        };
        assert_eq!(owner(PATH, "a=b&owner=bob%20b"), Some("bob%20b".into()));
        assert_eq!(owner(PATH, "downer=bob"), None);
        assert_eq!(owner("/v1/contexts", "owner=bob"), None);
    }

    #[test]
    fn an_upgrade_is_a_get() {
        assert!(with(PATH, "", "upgrade", "WebSocket", is_upgrade));
        assert!(!with(PATH, "", "upgrade", "h2c", is_upgrade));
        let headers = vec![("upgrade".to_owned(), "websocket".to_owned())];
        assert!(!is_upgrade(&Head { method: "HEAD", path: PATH, query: "", headers: &headers }));
    }
}
