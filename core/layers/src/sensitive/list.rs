//! The built-in list of sensitive names, and what takes a name off it: data only, each group with
//! its reason.
//!
//! A missed name shows a secret to every reader; a false alarm hides a setting. So an entry is here
//! if its value is usually a credential, and an exception if its value never is. The names of a
//! large public configuration that the list finds are asserted in `tests/native/tests/names.rs`.

/// The general words. (`pass_word` finds `password` too, and also `passWord` and `pass-word`.)
pub(super) const GENERAL: &str = "api_key, pass_word, secret, token, credential";

/// More entries that make a name sensitive wherever they stand in it.
pub(super) const ANYWHERE: &str = concat!(
    // Other words for a password. Not `pass`, which is mostly a result (`pass_rate`); so the places
    // that need a password are listed. Not `pin`, which is mostly a place on a board.
    "passwd, pwd, pass_phrase, pass_code, htpasswd",
    ", admin_pass, auth_pass, become_pass, db_pass, ftp_pass, login_pass, mail_pass, mysql_pass",
    ", redis_pass, root_pass, smtp_pass, ssh_pass, sudo_pass, user_pass",
    // Keys that open or sign. Not `key` alone, which is mostly the name of a member, and neither
    // `public_key` nor `ssh_key`, which is mostly public.
    ", access_key, account_key, app_key, auth_key, encryption_key, jwt_key, master_key",
    ", pre_shared_key, private_key, service_account_key, signing_key",
    // What stands in for a password when it is lost.
    ", backup_code, recovery_code, recovery_phrase, seed_phrase",
    // A text that holds a password among other things.
    ", connection_string, authorization_code, authorization_header, cookie_header, cookie_value",
    // General words that are run together with what they belong to: no letter case says where the
    // word begins. Only pairs that are in use, since `tokens` also ends words such as `subtokens`.
    ", access_token, api_token, auth_token, bearer_token, bot_token, csrf_token, id_token",
    ", refresh_token, session_token, user_token",
    ", api_secret, app_secret, auth_secret, client_secret, consumer_secret, jwt_secret, secret_key",
    ", secret_access_key, shared_secret, webhook_secret",
    ", admin_password, bind_password, current_password, db_password, database_password",
    ", key_password, login_password, new_password, old_password, root_password, user_password",
);

/// Entries that make a name sensitive only as its last words: before another word they tell what
/// that is about (`authorization_mode`, `cookie_banner`, `jwt_issuer`, `dsn_prefix`).
pub(super) const LAST: &str = "authorization, cookie, dsn, jwt";

/// Words that follow a sensitive entry if the value describes the secret, and is not it
/// (`password_policy`, `token_count`, `api_key_rotation_enabled`).
pub(super) const DESCRIBING: &str = concat!(
    // How many there are, how many may be, what they cost.
    "budget, cost, count, limit, max, min, per, price, quota, rate, total, usage, window",
    // Which form they have, and how long they last.
    ", age, algorithm, audience, check_period, expiration, expires, expiry, format, interval, issuer",
    ", length, lifetime, period, policy, requirement, rotation, rule, scope, size, strength",
    ", timeout, ttl, type",
    // Whether they are in use, and where they are kept.
    ", allowed, disabled, enabled, manager, provider, ref, required, status",
);

/// Names that hold no secret although a sensitive entry is part of them.
pub(super) const HARMLESS: &str = concat!(
    // Tokens of language models: how many, and those with a meaning.
    "max_token, min_token, num_token, n_token, total_token, prompt_token, completion_token",
    ", input_token, output_token, cached_token, reasoning_token, max_new_token, max_context_token",
    ", bos_token, eos_token, pad_token, unk_token, sep_token, cls_token, mask_token, stop_token",
    ", special_token, added_token",
    // Tokens that only mark a place: pages of a list, names of a design, the parts of a limiter.
    ", page_token, next_token, continuation_token, sync_token, design_token, token_bucket",
    ", cancellation_token, token_ring",
    // Public by definition: addresses of OAuth servers, and ids that name a key.
    ", token_url, token_uri, token_endpoint",
    ", access_key_id, private_key_id, api_key_id, credential_id, credentials_id, secret_key_ref",
    // Phrases.
    ", secret_santa, secret_service, trade_secret",
);

/// Words that say that a number counts something, wherever they stand in the name
/// (`max_login_token`, `token_nr`).
pub(super) const COUNTING: &str = "average, avg, count, left, length, limit, max, mean, median, \
    min, n, no, nr, num, number, per, remaining, size, sum, total, used";
