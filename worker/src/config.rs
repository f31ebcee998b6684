//! The deployment's settings, read once for each isolate.
//!
//! **A deployment that is not configured refuses every request**, and tells the operator why.

use std::{
    cell::{OnceCell, RefCell},
    rc::Rc,
};

use js_sys::Reflect;
use nacre_core::{
    credentials,
    quota::Quotas,
    seal::{MasterKeyring, SealContent},
    sensitive::SensitiveNames,
};
use worker::{Env, RateLimiter, console_error};

use crate::{
    auth::{self, Auth},
    embedder::Embedder,
    http::{self, Cors, SecurityTxt, mcp::Mcp},
    search_database::SearchDatabases,
    sql_store::Retention,
};

/// How long history is kept by default, in days.
const HISTORY_DAYS: u64 = 90;
const DAY_MILLIS: u64 = 24 * 60 * 60 * 1000;

/// The settings of the deployment.
pub(crate) struct Config {
    /// The token check. Borrow it briefly, never across an await.
    pub(crate) auth: RefCell<Auth>,
    /// The settings of the HTTP part.
    pub(crate) http: http::Settings,
    /// The master keys, which wrap the keys of users.
    pub(crate) masters: MasterKeyring,
    /// The names of members that are sealed.
    pub(crate) names: SensitiveNames,
    /// What happens to texts that look like credentials.
    pub(crate) content: SealContent,
    /// How long history is kept.
    pub(crate) retention: Retention,
    /// How much one user may use.
    pub(crate) quotas: Quotas,
    /// The platform's rate limit, in front of the objects, which count exactly.
    pub(crate) shield: Option<RateLimiter>,
    /// The shared databases for searches.
    pub(crate) search: SearchDatabases,
    /// How long a search waits for its shared database, in milliseconds.
    pub(crate) search_budget_millis: u64,
    /// The most tokens of an answer that a client of the Model Context Protocol may ask for.
    pub(crate) mcp_tokens: u64,
    /// The embedding model, if there is one.
    pub(crate) embedder: Option<Embedder>,
}

/// The most tokens of an answer by default.
const MCP_TOKENS: u64 = 20_000;

/// How long a search waits by default, in milliseconds.
const SEARCH_BUDGET_MILLIS: u64 = 150;

/// The embedding model by default: multilingual, 1,024 dimensions.
const EMBEDDING_MODEL: &str = "@cf/baai/bge-m3";

/// How long a question waits for its vector by default, in milliseconds.
const EMBEDDING_BUDGET_MILLIS: u64 = 500;

/// The longest name of a model, in bytes.
const MODEL_BYTES: usize = 128;

/// The binding of the platform's rate limit in `wrangler.toml`.
const SHIELD: &str = "SHIELD";

thread_local! {
    static CONFIG: OnceCell<Result<Rc<Config>, String>> = const { OnceCell::new() };
}

impl Config {
    /// The settings of this isolate's deployment. A mistake in them is logged once.
    ///
    /// # Errors
    /// What the operator must change. The text quotes no setting.
    pub(crate) fn of(env: &Env) -> Result<Rc<Config>, String> {
        let read = || {
            let config = Config::read(env).map(Rc::new);
            config.inspect_err(|message| console_error!("not configured: {message}"))
        };
        CONFIG.with(|config| config.get_or_init(read).clone())
    }

    fn read(env: &Env) -> Result<Config, String> {
        let variable = |name: &str| env.var(name).ok().map(|value| value.to_string());
        let [secret, url, audience, issuer, max_days] = [
            "NACRE_JWT_SECRET",
            "NACRE_JWKS_URL",
            "NACRE_JWT_AUDIENCE",
            "NACRE_JWT_ISSUER",
            "NACRE_JWT_MAX_DAYS",
        ]
        .map(variable);
        let auth = Auth::configure(&auth::Settings {
            jwt_secret: secret.as_deref(),
            jwks_url: url.as_deref(),
            audience: audience.as_deref(),
            issuer: issuer.as_deref(),
            max_days: max_days.as_deref(),
        })
        .map_err(|error| error.to_string())?;
        let masters = variable("NACRE_MASTER_KEYS").ok_or(
            "NACRE_MASTER_KEYS is not set: add at least one entry, `id:base64` with 32 random \
             bytes",
        )?;
        let masters = MasterKeyring::parse(&masters)
            .map_err(|error| format!("NACRE_MASTER_KEYS: {}", error.detail()))?;
        let names = match variable("NACRE_SENSITIVE_NAMES") {
            Some(names) => SensitiveNames::parse(&names)
                .map_err(|error| format!("NACRE_SENSITIVE_NAMES: {}", error.detail()))?,
            None => SensitiveNames::default(),
        };
        let content = match variable("NACRE_SEAL_CONTENT").as_deref() {
            None | Some("seal") => SealContent::Seal(credentials::find),
            Some("warn") => SealContent::Warn(credentials::find),
            Some("off") => SealContent::Off,
            Some(_) => return Err("NACRE_SEAL_CONTENT must be `seal`, `warn` or `off`".into()),
        };
        let days = match variable("NACRE_HISTORY_DAYS") {
            Some(days) => days
                .parse()
                .ok()
                .filter(|days| (1..=36_500).contains(days))
                .ok_or("NACRE_HISTORY_DAYS must be a whole number of days from 1 to 36500")?,
            None => HISTORY_DAYS,
        };
        let quotas = Quotas::parse(&variable("NACRE_QUOTAS").unwrap_or_default())
            .map_err(|error| format!("NACRE_QUOTAS: {}", error.detail()))?;
        let budget = |name: &str, default| match variable(name) {
            Some(millis) => {
                millis.parse().ok().filter(|millis| (1..=10_000).contains(millis)).ok_or_else(
                    || format!("{name} must be a whole number of milliseconds from 1 to 10000"),
                )
            }
            None => Ok(default),
        };
        let mcp_tokens = match variable("NACRE_MCP_MAX_TOKENS") {
            Some(tokens) => tokens
                .parse()
                .ok()
                .filter(|tokens| (1_000..=200_000).contains(tokens))
                .ok_or("NACRE_MCP_MAX_TOKENS must be a whole number from 1000 to 200000")?,
            None => MCP_TOKENS,
        };
        let hosts = variable("NACRE_MCP_HOSTS").unwrap_or_default();
        let hosts = hosts.split([',', ' ']).filter(|host| !host.is_empty()).map(String::from);

        let search_budget_millis = budget("NACRE_SEARCH_BUDGET_MS", SEARCH_BUDGET_MILLIS)?;
        let embedding_budget = budget("NACRE_EMBEDDING_BUDGET_MS", EMBEDDING_BUDGET_MILLIS)?;
        let model = variable("NACRE_EMBEDDING_MODEL").unwrap_or_else(|| EMBEDDING_MODEL.into());
        if !(1..=MODEL_BYTES).contains(&model.len()) {
            return Err(
                "NACRE_EMBEDDING_MODEL must be the name of a model, of 1 to 128 bytes".into()
            );
        }
        let cors = variable("NACRE_CORS_ORIGINS");
        let policy = variable("NACRE_SECURITY_POLICY");
        let security = variable("NACRE_SECURITY_CONTACT")
            .map(|contact| SecurityTxt::parse(&contact, policy.as_deref()))
            .transpose()?;
        Ok(Config {
            auth: RefCell::new(auth),
            http: http::Settings {
                cors: cors.as_deref().map(Cors::parse).unwrap_or_default(),
                security,
                mcp: Mcp { issuer, hosts: hosts.collect() },
            },
            masters,
            names,
            content,
            retention: Retention { history_millis: days * DAY_MILLIS },
            quotas,
            shield: shield(env)?,
            search: SearchDatabases::of(env),
            search_budget_millis,
            mcp_tokens,
            embedder: Embedder::of(env, model, embedding_budget),
        })
    }
}

/// The platform's rate limit, if the deployment has one.
fn shield(env: &Env) -> Result<Option<RateLimiter>, String> {
    let is_bound = Reflect::has(env, &SHIELD.into()).unwrap_or_default();
    let shield = is_bound.then(|| env.rate_limiter(SHIELD)).transpose();
    shield.map_err(|_| format!("the binding {SHIELD} must be a rate limit"))
}
