//! The web pages that may call (the CORS protocol of the Fetch standard).

use super::{Head, response::Response};

/// The origins that the deployment allows. By default there are none, and no answer has a CORS
/// header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cors {
    any: bool,
    origins: Vec<String>,
}

/// The headers of an answer that pages may read.
const EXPOSED: &str = "ETag, Location, Retry-After, Nacre-Seq, Nacre-Tokens, \
                       Idempotency-Replayed, RateLimit, RateLimit-Policy, X-Request-Id, Server-Timing, WWW-Authenticate, \
                       Mcp-Session-Id";
/// The headers that pages may send.
const ALLOWED: &str = "Authorization, Content-Type, Accept, If-Match, If-None-Match, \
                       Idempotency-Key, Nacre-Owner, Nacre-Confirm, X-Request-Id, Nacre-Context, \
                       Nacre-Tools, MCP-Protocol-Version, Mcp-Method, Mcp-Name, Mcp-Session-Id, \
                       Last-Event-ID";
/// For how long a browser may remember a preflight's answer, in seconds.
const MAX_AGE: &str = "600";

impl Cors {
    /// Reads the setting: origins (`https://app.example`) separated by spaces or commas, or `*` for
    /// any. Pages must set the token header themselves, so `*` does not give a page anyone's login.
    pub fn parse(setting: &str) -> Cors {
        let names = setting.split([',', ' ']).map(str::trim).filter(|name| !name.is_empty());
        let mut cors = Cors::default();
        for name in names {
            match name {
                "*" => cors.any = true,
                name => cors.origins.push(name.trim_end_matches('/').to_ascii_lowercase()),
            }
        }
        cors
    }

    /// Whether any page may call at all.
    pub(super) fn is_on(&self) -> bool {
        self.any || !self.origins.is_empty()
    }

    /// The origin to name in the answer, if it is allowed.
    pub(super) fn admit(&self, head: &Head<'_>) -> Option<String> {
        if !self.is_on() {
            return None;
        }
        let origin = head.headers.get("origin")?;
        if self.any {
            return Some("*".into());
        }
        let known = origin.to_ascii_lowercase();
        self.origins.contains(&known).then_some(origin)
    }
}

/// Adds the headers that let a page read an answer.
pub(super) fn expose(origin: String, response: &mut Response) {
    response.set("Access-Control-Allow-Origin", origin);
    response.set("Access-Control-Expose-Headers", EXPOSED);
}

/// Adds the headers that answer a preflight.
pub(super) fn preflight(origin: String, methods: String, response: &mut Response) {
    response.set("Access-Control-Allow-Origin", origin);
    response.set("Access-Control-Allow-Methods", methods);
    response.set("Access-Control-Allow-Headers", ALLOWED);
    response.set("Access-Control-Max-Age", MAX_AGE);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(setting: &str, origin: &str) -> Option<String> {
        let headers = vec![("origin".to_string(), origin.to_string())];
        let head = Head { method: "GET", path: "/", query: "", headers: &headers };
        Cors::parse(setting).admit(&head)
    }

    #[test]
    fn only_named_origins_are_let_in() {
        let setting = "https://app.example, http://localhost:5173/";
        assert_eq!(
            admitted(setting, "https://app.example").as_deref(),
            Some("https://app.example")
        );
        assert!(admitted(setting, "http://localhost:5173").is_some());
        for other in ["https://app.example.org", "http://app.example", "null", "*", ""] {
            assert_eq!(admitted(setting, other), None, "{other}");
        }
        assert_eq!(admitted("", "https://app.example"), None);
        assert_eq!(admitted("*", "https://app.example").as_deref(), Some("*"));
    }
}
