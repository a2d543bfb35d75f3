//! Who did what and when in the demo's organization: data, and how its values are made.
//!
//! The values are random and marked as demo values, so that no scanner takes them for real ones.

use crate::{
    cli::recipe,
    domain::{ProjectName, Role, ScopeRef, SecretValue},
    service::{ErrorKind, ServiceError},
};

const HOUR: u64 = 60;
const DAY: u64 = 24 * HOUR;

/// When the story begins, in minutes before now.
pub(crate) const BEGINNING: u64 = 212 * DAY;

/// The people of the demo. Ada is the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Person {
    Ada,
    Bob,
    Priya,
    Lee,
}

impl Person {
    /// Everybody but the user.
    pub(crate) const OTHERS: [Self; 3] = [Self::Bob, Self::Priya, Self::Lee];

    /// What the others call them.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Ada => "ada",
            Self::Bob => "bob",
            Self::Priya => "priya",
            Self::Lee => "lee",
        }
    }
}

/// A scope of the demo.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    Acme,
    Billing,
    Web,
    Data,
}

impl Place {
    /// As the service knows it.
    pub(crate) fn scope(self) -> Result<ScopeRef, ServiceError> {
        let name = match self {
            Self::Acme => return Ok(ScopeRef::Organization),
            Self::Billing => "billing",
            Self::Web => "web",
            Self::Data => "data-platform",
        };
        ProjectName::parse(name)
            .map(ScopeRef::Project)
            .map_err(|rule| ServiceError::new(ErrorKind::Failure, rule))
    }
}

/// What somebody did.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Deed {
    Project(&'static str),
    Admit(Person, Place, Role),
    Remove(Person, Place),
    Set(Place, &'static str, Kind),
}

/// What a value looks like.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// Text before, a recipe, text after.
    Made(&'static str, &'static str, &'static str),
    /// A key on several lines.
    Pem,
    /// A small JSON document.
    Json,
}

impl Kind {
    /// A fresh value.
    pub(crate) fn make(self) -> Result<SecretValue, ServiceError> {
        let random = |recipe: &str| {
            let value = recipe::make(&recipe::parse(recipe)?)?;
            Ok::<_, ServiceError>(value.expose_text().unwrap_or_default().to_owned())
        };
        let text = match self {
            Self::Made(before, recipe, after) => format!("{before}{}{after}", random(recipe)?),
            Self::Pem => {
                let mut lines = vec!["-----BEGIN DEMO PRIVATE KEY-----".to_owned()];
                for _ in 0..6 {
                    lines.push(random("base64:48")?);
                }
                lines.push("-----END DEMO PRIVATE KEY-----\n".to_owned());
                lines.join("\n")
            }
            Self::Json => format!(
                "{{\n  \"type\": \"service_account\",\n  \"project_id\": \"acme-demo\",\n  \"client_email\": \
                 \"etl@acme-demo.example\",\n  \"private_key_id\": \"{}\"\n}}\n",
                random("hex:20")?
            ),
        };
        SecretValue::new(text.into_bytes())
            .map_err(|error| ServiceError::new(ErrorKind::Failure, error.to_string()))
    }
}

/// One thing that happened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Event {
    pub(crate) minutes_ago: u64,
    pub(crate) by: Person,
    pub(crate) deed: Deed,
}

/// Everything that happened, oldest first.
pub(crate) fn events() -> Vec<Event> {
    use Deed::{Admit, Project, Remove, Set};
    use Person::{Ada, Bob, Lee, Priya};
    use Place::{Acme, Billing, Data, Web};
    let key = |prefix| Kind::Made(prefix, "alnum:24", "");
    let hex = Kind::Made("", "hex:32", "");
    let password = Kind::Made("", "easy:24", "");
    let url = |before, after| Kind::Made(before, "easy:20", after);
    let billing_db = url("postgres://billing:", "@db.internal.example:5432/billing");
    let web_redis = url("redis://:", "@cache.internal.example:6379/0");
    let warehouse = url("postgres://etl:", "@warehouse.internal.example:5432/events");
    let mut events: Vec<Event> = [
        (211 * DAY, Ada, Project("billing")),
        (211 * DAY - 30, Ada, Project("web")),
        (180 * DAY, Ada, Project("data-platform")),
        (210 * DAY, Ada, Admit(Bob, Acme, Role::Write)),
        (210 * DAY - 5, Ada, Admit(Bob, Billing, Role::Write)),
        (210 * DAY - 9, Ada, Admit(Bob, Web, Role::Write)),
        (179 * DAY, Ada, Admit(Priya, Acme, Role::Read)),
        (179 * DAY - 4, Ada, Admit(Priya, Data, Role::Write)),
        (120 * DAY, Ada, Admit(Lee, Web, Role::Write)),
        (9 * DAY, Ada, Remove(Lee, Web)),
        // the organization
        (209 * DAY, Ada, Set(Acme, "SMTP_PASSWORD", password)),
        (97 * DAY, Bob, Set(Acme, "SMTP_PASSWORD", password)),
        (208 * DAY, Ada, Set(Acme, "SENTRY_DSN", url("https://", "@sentry.internal.example/4"))),
        (205 * DAY, Bob, Set(Acme, "SLACK_BOT_TOKEN", key("xoxb-demo-"))),
        (64 * DAY, Bob, Set(Acme, "SLACK_BOT_TOKEN", key("xoxb-demo-"))),
        (12 * DAY, Ada, Set(Acme, "SLACK_BOT_TOKEN", key("xoxb-demo-"))),
        (200 * DAY, Ada, Set(Acme, "WILDCARD_TLS_KEY", Kind::Pem)),
        (31 * DAY, Bob, Set(Acme, "WILDCARD_TLS_KEY", Kind::Pem)),
        (150 * DAY, Ada, Set(Acme, "NPM_READ_TOKEN", key("npm_demo_"))),
        (3 * DAY + 2 * HOUR, Bob, Set(Acme, "NPM_READ_TOKEN", key("npm_demo_"))),
        (82 * DAY, Ada, Set(Acme, "BACKUP_PASSPHRASE", Kind::Made("", "words:7", ""))),
        (26 * HOUR, Ada, Set(Acme, "PAGERDUTY_ROUTING_KEY", hex)),
        // billing
        (204 * DAY, Ada, Set(Billing, "STRIPE_SECRET_KEY", key("sk_demo_"))),
        (101 * DAY, Bob, Set(Billing, "STRIPE_SECRET_KEY", key("sk_demo_"))),
        (40 * DAY, Ada, Set(Billing, "STRIPE_SECRET_KEY", key("sk_demo_"))),
        (5 * HOUR, Bob, Set(Billing, "STRIPE_SECRET_KEY", key("sk_demo_"))),
        (204 * DAY - 3, Ada, Set(Billing, "STRIPE_WEBHOOK_SECRET", key("whsec_demo_"))),
        (203 * DAY, Bob, Set(Billing, "DATABASE_URL", billing_db)),
        (55 * DAY, Bob, Set(Billing, "DATABASE_URL", billing_db)),
        (190 * DAY, Bob, Set(Billing, "INVOICE_SIGNING_KEY", Kind::Pem)),
        (160 * DAY, Ada, Set(Billing, "VAT_API_KEY", key("vat_demo_"))),
        (42, Ada, Set(Billing, "VAT_API_KEY", key("vat_demo_"))),
        (33 * DAY, Bob, Set(Billing, "LEDGER_HMAC_KEY", hex)),
        (20 * DAY, Bob, Set(Billing, "DUNNING_SMTP_PASSWORD", password)),
        // web
        (199 * DAY, Bob, Set(Web, "SESSION_SECRET", hex)),
        (8 * DAY, Bob, Set(Web, "SESSION_SECRET", hex)),
        (198 * DAY, Bob, Set(Web, "REDIS_URL", web_redis)),
        (118 * DAY, Lee, Set(Web, "CDN_PURGE_TOKEN", key("cdn_demo_"))),
        (117 * DAY, Lee, Set(Web, "OAUTH_CLIENT_SECRET", key("oauth_demo_"))),
        (60 * DAY, Lee, Set(Web, "MAPS_API_KEY", key("maps_demo_"))),
        (8 * DAY - 90, Ada, Set(Web, "MAPS_API_KEY", key("maps_demo_"))),
        (2 * DAY, Bob, Set(Web, "CSRF_KEY", hex)),
        // data-platform
        (178 * DAY, Priya, Set(Data, "WAREHOUSE_URL", warehouse)),
        (70 * DAY, Priya, Set(Data, "WAREHOUSE_URL", warehouse)),
        (177 * DAY, Priya, Set(Data, "BIGQUERY_CREDENTIALS", Kind::Json)),
        (176 * DAY, Priya, Set(Data, "KAFKA_SASL_PASSWORD", password)),
        (6 * DAY, Priya, Set(Data, "KAFKA_SASL_PASSWORD", password)),
        (88 * DAY, Priya, Set(Data, "AIRFLOW_FERNET_KEY", Kind::Made("", "base64:32", ""))),
        (19 * HOUR, Priya, Set(Data, "DBT_SERVICE_TOKEN", key("dbt_demo_"))),
    ]
    .into_iter()
    .map(|(minutes_ago, by, deed)| Event { minutes_ago, by, deed })
    .collect();
    events.sort_by_key(|event| std::cmp::Reverse(event.minutes_ago));
    events
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_story_is_told_in_order_and_has_enough_to_look_at() {
        let events = events();
        assert!(events.windows(2).all(|pair| pair[0].minutes_ago >= pair[1].minutes_ago));
        assert!(events.iter().all(|event| event.minutes_ago < BEGINNING));
        let names: BTreeSet<String> = events
            .iter()
            .filter_map(|event| match event.deed {
                Deed::Set(place, name, _) => Some(format!("{place:?} {name}")),
                _ => None,
            })
            .collect();
        assert!(names.len() >= 25, "{}", names.len());
    }
}
