//! What kind of credential a value looks like, and what kinds its name speaks of.
//!
//! Owns a table of well-known shapes and the rule for a contradiction, which is careful on purpose: only what is certainly
//! another thing than the name says is told. Bytes in, a word out; nothing here keeps, copies or shows a value.

use super::SecretName;

/// Who issues a credential, or what it opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Amazon Web Services.
    Aws,
    /// GitHub.
    GitHub,
    /// GitLab.
    GitLab,
    /// Stripe.
    Stripe,
    /// Slack.
    Slack,
    /// Google.
    Google,
    /// The npm registry.
    Npm,
    /// A PostgreSQL database.
    Postgres,
    /// A MySQL or MariaDB database.
    MySql,
    /// A MongoDB database.
    Mongo,
    /// A Redis database.
    Redis,
}

/// What a value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A credential of a well-known issuer.
    Token(Family),
    /// A Stripe key for test data.
    StripeTest,
    /// A Stripe key for real money.
    StripeLive,
    /// A database's URL.
    Database(Family),
    /// A private key: PEM, OpenSSH or age.
    PrivateKey,
    /// A PEM certificate.
    Certificate,
    /// A JSON Web Token.
    Jwt,
}

impl Kind {
    /// What it is called in a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Self::Token(Family::Aws) => "an AWS access key ID",
            Self::Token(Family::GitHub) => "a GitHub token",
            Self::Token(Family::GitLab) => "a GitLab token",
            Self::Token(Family::Slack) => "a Slack token",
            Self::Token(Family::Google) => "a Google API credential",
            Self::Token(Family::Npm) => "an npm token",
            Self::Token(_) => "a token",
            Self::StripeTest => "a Stripe test key",
            Self::StripeLive => "a live Stripe key",
            Self::Database(Family::Postgres) => "a PostgreSQL URL",
            Self::Database(Family::MySql) => "a MySQL URL",
            Self::Database(Family::Mongo) => "a MongoDB URL",
            Self::Database(_) => "a Redis URL",
            Self::PrivateKey => "a private key",
            Self::Certificate => "a certificate",
            Self::Jwt => "a JSON Web Token",
        }
    }

    fn family(self) -> Option<Family> {
        match self {
            Self::Token(family) | Self::Database(family) => Some(family),
            Self::StripeTest | Self::StripeLive => Some(Family::Stripe),
            Self::PrivateKey | Self::Certificate | Self::Jwt => None,
        }
    }
}

/// Beginnings that belong to one kind only, with the fewest bytes that follow.
const BEGINNINGS: &[(&str, usize, Kind)] = &[
    ("ghp_", 30, Kind::Token(Family::GitHub)),
    ("gho_", 30, Kind::Token(Family::GitHub)),
    ("ghu_", 30, Kind::Token(Family::GitHub)),
    ("ghs_", 30, Kind::Token(Family::GitHub)),
    ("ghr_", 30, Kind::Token(Family::GitHub)),
    ("github_pat_", 30, Kind::Token(Family::GitHub)),
    ("glpat-", 16, Kind::Token(Family::GitLab)),
    ("sk_live_", 10, Kind::StripeLive),
    ("rk_live_", 10, Kind::StripeLive),
    ("sk_test_", 10, Kind::StripeTest),
    ("rk_test_", 10, Kind::StripeTest),
    ("xoxb-", 10, Kind::Token(Family::Slack)),
    ("xoxp-", 10, Kind::Token(Family::Slack)),
    ("xoxa-", 10, Kind::Token(Family::Slack)),
    ("AIza", 35, Kind::Token(Family::Google)),
    ("ya29.", 20, Kind::Token(Family::Google)),
    ("npm_", 36, Kind::Token(Family::Npm)),
    ("postgres://", 1, Kind::Database(Family::Postgres)),
    ("postgresql://", 1, Kind::Database(Family::Postgres)),
    ("mysql://", 1, Kind::Database(Family::MySql)),
    ("mariadb://", 1, Kind::Database(Family::MySql)),
    ("mongodb://", 1, Kind::Database(Family::Mongo)),
    ("mongodb+srv://", 1, Kind::Database(Family::Mongo)),
    ("redis://", 1, Kind::Database(Family::Redis)),
    ("rediss://", 1, Kind::Database(Family::Redis)),
    ("AGE-SECRET-KEY-1", 20, Kind::PrivateKey),
    ("-----BEGIN CERTIFICATE-----", 1, Kind::Certificate),
    ("-----BEGIN PRIVATE KEY-----", 1, Kind::PrivateKey),
    ("-----BEGIN ENCRYPTED PRIVATE KEY-----", 1, Kind::PrivateKey),
    ("-----BEGIN RSA PRIVATE KEY-----", 1, Kind::PrivateKey),
    ("-----BEGIN EC PRIVATE KEY-----", 1, Kind::PrivateKey),
    ("-----BEGIN OPENSSH PRIVATE KEY-----", 1, Kind::PrivateKey),
];

/// Words of a name that speak of one family only.
const WORDS: &[(&str, Family)] = &[
    ("AWS", Family::Aws),
    ("GITHUB", Family::GitHub),
    ("GH", Family::GitHub),
    ("GITLAB", Family::GitLab),
    ("STRIPE", Family::Stripe),
    ("SLACK", Family::Slack),
    ("GOOGLE", Family::Google),
    ("GCP", Family::Google),
    ("FIREBASE", Family::Google),
    ("NPM", Family::Npm),
    ("POSTGRES", Family::Postgres),
    ("POSTGRESQL", Family::Postgres),
    ("PG", Family::Postgres),
    ("MYSQL", Family::MySql),
    ("MARIADB", Family::MySql),
    ("MONGO", Family::Mongo),
    ("MONGODB", Family::Mongo),
    ("REDIS", Family::Redis),
];

const SPEAKS_OF_SECRECY: [&str; 11] = [
    "PASSWORD",
    "PASSWD",
    "PASS",
    "PWD",
    "PASSPHRASE",
    "SECRET",
    "TOKEN",
    "KEY",
    "CREDENTIAL",
    "CREDENTIALS",
    "APIKEY",
];

/// Last words of a name that speaks of something about a secret: how long it lives, where it is, what it is called.
const ABOUT_IT: [&str; 42] = [
    "ID",
    "IDS",
    "NAME",
    "LABEL",
    "USER",
    "USERNAME",
    "OWNER",
    "TYPE",
    "KIND",
    "FORMAT",
    "ALG",
    "ALGORITHM",
    "VERSION",
    "TTL",
    "EXPIRY",
    "EXPIRES",
    "EXPIRATION",
    "AGE",
    "LIFETIME",
    "TIMEOUT",
    "INTERVAL",
    "DAYS",
    "HOURS",
    "MINUTES",
    "SECONDS",
    "LENGTH",
    "SIZE",
    "BITS",
    "COUNT",
    "LIMIT",
    "MIN",
    "MAX",
    "ROUNDS",
    "ITERATIONS",
    "URL",
    "URI",
    "PATH",
    "FILE",
    "DIR",
    "PREFIX",
    "HEADER",
    "ENABLED",
];

/// Values that stand for one that was never put in, whatever the name is.
const PLACEHOLDERS: [&[u8]; 14] = [
    b"changeme",
    b"change_me",
    b"change-me",
    b"change me",
    b"replaceme",
    b"replace_me",
    b"replace-me",
    b"todo",
    b"fixme",
    b"tbd",
    b"xxx",
    b"placeholder",
    b"your-secret-here",
    b"<secret>",
];

/// Values that nobody chooses for something secret.
const WORDS_OF_NOBODY: [&[u8]; 22] = [
    b"password",
    b"passw0rd",
    b"secret",
    b"token",
    b"key",
    b"admin",
    b"root",
    b"test",
    b"testing",
    b"example",
    b"foo",
    b"bar",
    b"dummy",
    b"default",
    b"none",
    b"null",
    b"undefined",
    b"letmein",
    b"qwerty",
    b"hunter2",
    b"password123",
    b"12345678",
];

/// What a value looks like, if it looks like anything known.
pub fn kind_of(value: &[u8]) -> Option<Kind> {
    let value = value.trim_ascii();
    for (start, least, kind) in BEGINNINGS {
        if value.strip_prefix(start.as_bytes()).is_some_and(|rest| rest.len() >= *least) {
            return Some(*kind);
        }
    }
    let is_aws = (value.starts_with(b"AKIA") || value.starts_with(b"ASIA"))
        && value.len() == 20
        && value.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if is_aws {
        return Some(Kind::Token(Family::Aws));
    }
    let url_safe = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let parts = || value.split(|byte| *byte == b'.');
    let is_jwt = value.starts_with(b"eyJ")
        && parts().count() == 3
        && parts().all(|part| part.len() >= 10 && part.iter().all(url_safe));
    is_jwt.then_some(Kind::Jwt)
}

/// Why a value of this kind cannot be what the name says; `None` if it may well be.
pub fn contradiction(name: &SecretName, kind: Kind) -> Option<String> {
    let words: Vec<&str> = name.as_str().split('_').collect();
    let says = |word: &str| words.contains(&word);
    let families: Vec<Family> =
        WORDS.iter().filter(|(word, _)| says(word)).map(|(_, family)| *family).collect();
    let looks = |what: &str| Some(format!("looks like {}, and the name says {what}", kind.words()));
    if kind == Kind::StripeTest && ["PROD", "PRODUCTION", "LIVE"].into_iter().any(says) {
        return looks("production");
    }
    if kind == Kind::StripeLive && ["TEST", "DEV", "STAGING", "SANDBOX"].into_iter().any(says) {
        return looks("it is for tests");
    }
    if kind == Kind::PrivateKey && says("PUBLIC") && !says("PRIVATE") {
        return looks("it is public");
    }
    if kind == Kind::PrivateKey && ["CERT", "CERTIFICATE", "CRT"].into_iter().any(says) && !says("KEY") {
        return looks("it is a certificate");
    }
    let is_address = words.last().is_some_and(|last| ["URL", "URI", "DSN"].contains(last));
    if is_address && !matches!(kind, Kind::Database(_)) {
        return looks("it is an address");
    }
    let family = kind.family()?;
    let fits = families.is_empty()
        || families.contains(&family)
        // a package registry of the forge
        || (families.contains(&Family::Npm) && matches!(family, Family::GitHub | Family::GitLab))
        // the database of a service may be named after the service, and run by a cloud
        || (matches!(kind, Kind::Database(_)) && !families.iter().any(|family| is_database(*family)));
    let named = || WORDS.iter().find(|(word, _)| says(word)).map(|(word, _)| *word);
    if fits { None } else { looks(named()?) }
}

fn is_database(family: Family) -> bool {
    matches!(family, Family::Postgres | Family::MySql | Family::Mongo | Family::Redis)
}

/// True if the name promises something that must be hard to guess: not `TOKEN_TTL` or `KEY_ID`, which only say something
/// about it.
fn speaks_of_secrecy(name: &SecretName) -> bool {
    let mut words = name.as_str().split('_').filter(|word| !word.bytes().all(|byte| byte.is_ascii_digit()));
    let about = words.clone().next_back().is_some_and(|last| ABOUT_IT.contains(&last));
    !about && words.any(|word| SPEAKS_OF_SECRECY.contains(&word))
}

/// Why a value protects nothing, and whether that is certain; `None` if nothing speaks against it.
pub fn weakness(name: &SecretName, value: &[u8]) -> Option<(&'static str, bool)> {
    let trimmed = value.trim_ascii();
    let lower = |one: &[u8], other: &[u8]| one.eq_ignore_ascii_case(other);
    let secret = speaks_of_secrecy(name);
    if trimmed.is_empty() {
        return secret.then_some(("has no value", false));
    }
    if lower(trimmed, name.as_str().as_bytes()) {
        return Some(("has its own name as its value", true));
    }
    if PLACEHOLDERS.iter().any(|word| lower(trimmed, word)) {
        return Some(("holds a placeholder", true));
    }
    if !secret {
        return None;
    }
    if WORDS_OF_NOBODY.iter().any(|word| lower(trimmed, word)) {
        return Some(("holds a word that everybody tries first", true));
    }
    let first = trimmed.first();
    if trimmed.len() < 8 {
        return Some(("is too short to protect anything", false));
    }
    trimmed.iter().all(|byte| Some(byte) == first).then_some(("is one character again and again", true))
}

/// True if a value of one line ends with a line break: most programs that take it will not expect that.
pub fn ends_with_stray_newline(value: &[u8]) -> bool {
    let line = match value {
        [line @ .., b'\r', b'\n'] | [line @ .., b'\n'] => line,
        _ => return false,
    };
    !line.is_empty() && !line.contains(&b'\n')
}

/// True if a value is worth comparing with others: short and plain ones (`true`, `production`, a port) are equal by nature.
pub fn is_distinctive(value: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_lowercase() || matches!(byte, b'-' | b'_' | b'.');
    let digits = value.iter().all(u8::is_ascii_digit);
    value.len() >= 8 && !digits && !(value.len() < 20 && value.iter().all(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> SecretName {
        SecretName::parse(text).unwrap()
    }

    const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P";

    fn token(start: &str) -> String {
        format!("{start}{}", "a1B2c3D4e5".repeat(5))
    }

    #[test]
    fn known_shapes_are_recognised_and_others_are_not() {
        for (value, kind) in [
            (token("ghp_"), Kind::Token(Family::GitHub)),
            (token("github_pat_"), Kind::Token(Family::GitHub)),
            (token("sk_live_"), Kind::StripeLive),
            (token("sk_test_"), Kind::StripeTest),
            (token("xoxb-"), Kind::Token(Family::Slack)),
            (token("AIza"), Kind::Token(Family::Google)),
            (token("glpat-"), Kind::Token(Family::GitLab)),
            (token("npm_"), Kind::Token(Family::Npm)),
            ("AKIAIOSFODNN7EXAMPLE\n".to_owned(), Kind::Token(Family::Aws)),
            ("postgres://u:p@h/d".to_owned(), Kind::Database(Family::Postgres)),
            ("rediss://h".to_owned(), Kind::Database(Family::Redis)),
            ("-----BEGIN OPENSSH PRIVATE KEY-----\nx".to_owned(), Kind::PrivateKey),
            ("-----BEGIN CERTIFICATE-----\nx".to_owned(), Kind::Certificate),
            (JWT.to_owned(), Kind::Jwt),
        ] {
            assert_eq!(kind_of(value.as_bytes()), Some(kind), "{value}");
        }
        for value in
            ["", "ghp_", "sk_live_", "AKIA", "AKIAIOSFODNN7EXAMPLe", "eyJ.a.b", "https://x", "hunter2"]
        {
            assert_eq!(kind_of(value.as_bytes()), None, "{value}");
        }
        assert_eq!(kind_of(&[0xff, 0, 1, 2]), None);
    }

    #[test]
    fn only_clear_contradictions_are_told() {
        use Family::{Aws, GitHub, Google, Npm, Postgres, Redis, Slack};
        for (text, kind) in [
            ("GITHUB_TOKEN", Kind::StripeLive),
            ("STRIPE_KEY", Kind::Token(GitHub)),
            ("STRIPE_PROD_KEY", Kind::StripeTest),
            ("STRIPE_KEY_LIVE", Kind::StripeTest),
            ("STRIPE_TEST_KEY", Kind::StripeLive),
            ("SLACK_WEBHOOK_TOKEN", Kind::Token(Aws)),
            ("REDIS_URL", Kind::Database(Postgres)),
            ("DATABASE_URL", Kind::Token(GitHub)),
            ("SENTRY_DSN", Kind::PrivateKey),
            ("TLS_CERT", Kind::PrivateKey),
            ("JWT_PUBLIC_KEY", Kind::PrivateKey),
            ("REDIS_PASSWORD", Kind::Token(GitHub)),
        ] {
            assert!(contradiction(&name(text), kind).is_some(), "{text} {kind:?}");
        }
        for (text, kind) in [
            ("GITHUB_TOKEN", Kind::Token(GitHub)),
            ("GH_PAT", Kind::Token(GitHub)),
            ("NPM_TOKEN", Kind::Token(GitHub)),
            ("NPM_TOKEN", Kind::Token(Npm)),
            ("API_KEY", Kind::StripeLive),
            ("STRIPE_KEY", Kind::StripeTest),
            ("STRIPE_PROD_KEY", Kind::StripeLive),
            ("DATABASE_URL", Kind::Database(Postgres)),
            ("AWS_RDS_URL", Kind::Database(Postgres)),
            ("GITLAB_DATABASE_URL", Kind::Database(Redis)),
            ("GITHUB_APP_KEY", Kind::PrivateKey),
            ("TLS_CERT_KEY", Kind::PrivateKey),
            ("SUPABASE_KEY", Kind::Jwt),
            ("FIREBASE_KEY", Kind::Token(Google)),
            ("ALERTS_TOKEN", Kind::Token(Slack)),
        ] {
            assert_eq!(contradiction(&name(text), kind), None, "{text} {kind:?}");
        }
    }

    #[test]
    fn placeholders_and_short_passwords_are_weak_and_configuration_is_not() {
        let weak = |text: &str, value: &str| weakness(&name(text), value.as_bytes());
        for (text, value, certain) in [
            ("DB_PASSWORD", "changeme", true),
            ("REGION", "TODO", true),
            ("API_TOKEN", "api_token", true),
            ("DB_PASSWORD", "Password", true),
            ("DB_PASSWORD", "abc", false),
            ("DB_PASSWORD", "aaaaaaaaaaaa", true),
            ("DB_PASSWORD", "", false),
            ("DB_PASSWORD_2", "abc", false),
            ("TOKEN_URL", "changeme", true),
        ] {
            assert_eq!(weak(text, value).map(|(_, certain)| certain), Some(certain), "{text} {value}");
        }
        for (text, value) in [
            ("PORT", "8080"),
            ("LOG_LEVEL", "none"),
            ("DEBUG", ""),
            ("DB_PASSWORD", "x9$kQ2!vLp"),
            ("TOKEN_TTL", "3600"),
            ("PASSWORD_MIN_LENGTH", "12"),
            ("KEY_ID", "1"),
            ("SIGNING_KEY_VERSION_2", "2"),
            ("TOKEN_HEADER", "token"),
        ] {
            assert_eq!(weak(text, value), None, "{text} {value}");
        }
    }

    #[test]
    fn a_line_break_is_stray_after_one_line_only() {
        for (value, stray) in
            [("a\n", true), ("a\r\n", true), ("a", false), ("a\nb\n", false), ("\n", false), ("", false)]
        {
            assert_eq!(ends_with_stray_newline(value.as_bytes()), stray, "{value:?}");
        }
    }

    #[test]
    fn plain_words_and_numbers_are_not_compared() {
        for (value, distinctive) in [
            ("production", false),
            ("true", false),
            ("5432123456", false),
            ("sk_live_x", false),
            ("hunter22", true),
            ("db.example.com:5432/x", true),
        ] {
            assert_eq!(is_distinctive(value.as_bytes()), distinctive, "{value}");
        }
    }
}
