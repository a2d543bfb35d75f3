//! What the flags of `run` ask for, read and refused before a vault is opened.

use super::RunArgs;
use crate::{
    cli::{
        context::Context,
        prompt,
        stop::{Stop, usage, wrap},
    },
    domain::{Reference, SecretName, Template, printable},
    platform::process::environment,
    resolve::Wanted,
    service::{ErrorKind, ServiceError},
    vault::transfer,
};
use std::collections::BTreeSet;
use std::path::Path;
use zeroize::Zeroizing;

/// The longest `--env-file`.
const MAX_FILE: usize = 16 << 20;

/// What the flags ask for.
pub(super) struct Wish {
    /// Secrets under their own names.
    pub(super) own: Own,
    /// A variable, and what it gets whole.
    pub(super) mapped: Vec<(String, Reference)>,
    /// Variables whose text refers to values.
    pub(super) texts: Vec<Text>,
    /// The secrets under their own names become files rather than variables.
    pub(super) as_files: bool,
    /// Names that are given although they may hand the program over.
    pub(super) allowed: Vec<String>,
}

/// The secrets that are given under their own names.
pub(super) enum Own {
    /// All of the scope, and of the organization below it.
    All,
    /// These.
    These(Vec<SecretName>),
}

/// A variable's text, in which references stand for values.
pub(super) struct Text {
    pub(super) variable: String,
    /// Where it was written, for errors.
    place: String,
    text: Zeroizing<Vec<u8>>,
}

impl Text {
    #[cfg(test)]
    pub(super) fn new(variable: &str, text: &str) -> Self {
        Self {
            variable: variable.to_owned(),
            place: String::new(),
            text: Zeroizing::new(text.as_bytes().to_vec()),
        }
    }

    pub(super) fn template(&self) -> Result<Template<'_>, ServiceError> {
        Template::parse(&self.text)
            .map_err(|error| usage(format!("{}: {}: {}", self.place, self.variable, error.fault)))
    }
}

impl Wish {
    /// Reads the flags; refuses what needs no vault to be refused.
    pub(super) fn of(context: &Context, args: &RunArgs) -> Result<Self, Stop> {
        let only = args.only.iter().map(|name| context.name(name)).collect::<Result<Vec<_>, _>>()?;
        let (mut mapped, mut texts) = (Vec::new(), Vec::new());
        for file in &args.env_file {
            texts.extend(lines(file)?);
        }
        for text in &args.map {
            match mapping(context, text)? {
                Mapping::Whole(variable, reference) => mapped.push((variable, reference)),
                Mapping::Text(text) => texts.push(text),
            }
        }
        let nothing_named = mapped.is_empty() && texts.is_empty();
        let as_files = args.files.is_some();
        let own = match only.is_empty() {
            false => Own::These(only),
            true if as_files || nothing_named => Own::All,
            true => Own::These(Vec::new()),
        };
        let wish = Self { own, mapped, texts, as_files, allowed: args.allow_env.clone() };
        wish.refuse_dangers()?;
        Ok(wish)
    }

    /// A name that was given on purpose is refused rather than left out: the program would miss it.
    fn refuse_dangers(&self) -> Result<(), ServiceError> {
        let own: &[SecretName] = match &self.own {
            Own::These(names) if !self.as_files => names,
            _ => &[],
        };
        let mut names: Vec<&str> = own.iter().map(SecretName::as_str).collect();
        names.extend(self.mapped.iter().map(|(variable, _)| variable.as_str()));
        for text in &self.texts {
            // what stands in the person's own file and refers to nothing was decided by that person
            if !text.template()?.references().is_empty() {
                names.push(&text.variable);
            }
        }
        for name in names {
            if let Some(why) = self.danger(name) {
                return Err(usage(format!("{name} cannot come from a secret, because {why}"))
                    .hint(format!("if that is wanted: --allow-env {name}")));
            }
        }
        Ok(())
    }

    /// Why a variable of this name must not come from a secret, unless the person allowed it.
    pub(super) fn danger(&self, name: &str) -> Option<&'static str> {
        environment::danger(name).filter(|_| !self.allowed.iter().any(|allowed| allowed == name))
    }

    /// Everything that is named.
    pub(super) fn named(&self) -> Result<Vec<Reference>, ServiceError> {
        let mut named = BTreeSet::new();
        if let Own::These(names) = &self.own {
            named.extend(names.iter().cloned().map(Reference::Secret));
        }
        named.extend(self.mapped.iter().map(|(_, reference)| reference.clone()));
        for text in &self.texts {
            named.extend(text.template()?.references().iter().cloned());
        }
        Ok(named.into_iter().collect())
    }

    /// What to ask for first.
    pub(super) fn wanted(&self) -> Result<Wanted, ServiceError> {
        match &self.own {
            Own::All => Ok(Wanted::All),
            Own::These(_) => self.named().map(Wanted::These),
        }
    }
}

enum Mapping {
    Whole(String, Reference),
    Text(Text),
}

/// `ENV=NAME`, or `ENV=` and a text with references.
fn mapping(context: &Context, text: &str) -> Result<Mapping, ServiceError> {
    let (variable, what) = text
        .split_once('=')
        .ok_or_else(|| usage("--map takes ENV=NAME: a variable, and the secret that it gets"))?;
    if !environment::is_variable_name(variable) {
        return Err(usage("--map ENV=NAME: a variable's name has letters, digits and _, and no digit first"));
    }
    let variable = variable.to_owned();
    if !what.contains("{{") {
        return Ok(Mapping::Whole(variable, Reference::Secret(context.name(what)?)));
    }
    let text = Text { variable, place: "--map".to_owned(), text: Zeroizing::new(what.as_bytes().to_vec()) };
    text.template()?;
    Ok(Mapping::Text(text))
}

/// The lines of a dotenv file.
fn lines(file: &Path) -> Result<Vec<Text>, Stop> {
    let shown = printable::line(&file.to_string_lossy());
    let bytes = prompt::file_or_stdin(file, MAX_FILE)?;
    let lines = transfer::variables(&bytes).map_err(|error| {
        let mut told = wrap(ErrorKind::Usage, &error);
        told.message = format!("{shown}: {}", told.message);
        told
    })?;
    let texts = lines.into_iter().map(|(variable, line, text)| Text {
        variable,
        place: format!("{shown}: line {line}"),
        text,
    });
    let texts: Vec<Text> = texts.collect();
    for text in &texts {
        text.template()?;
    }
    Ok(texts)
}
