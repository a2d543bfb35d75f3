//! What a program is to get: the wish that the flags state, and the plan that comes of it once the values are known.
//!
//! Owns the rule for names that would hand a program over (SPEC R26): named by the person who runs it, such a name is an
//! error before anything is asked; merely present in the vault, it is left out and told, so that nobody who may write a
//! secret can stop everybody's programs either. Invariant: a value goes into the variables, the files, or the list of
//! what must not be printed, and nowhere else.

use super::wish::{Own, Text, Wish};
use crate::{
    cli::stop::usage,
    domain::{Reference, SecretName, SecretValue, Template},
    platform::process::Variable,
    resolve::Source,
    service::{ResolvedItem, ServiceError},
};
use std::collections::{BTreeMap, HashMap};
use zeroize::Zeroizing;

/// A secret that is given as a file under its own name.
pub(super) struct Taken {
    pub(super) name: SecretName,
    pub(super) value: SecretValue,
}

/// One line of `--dry-run`: never a value.
pub(super) struct Row {
    /// The variable, or the file, that the program finds it in.
    pub(super) place: Place,
    /// What is referred to; `None` for a line of a file that refers to nothing.
    pub(super) reference: Option<Reference>,
    /// Where it comes from.
    pub(super) source: Option<Source>,
    /// Its version, of a secret of the vault.
    pub(super) version: Option<u32>,
}

/// Where the program finds something.
pub(super) enum Place {
    Variable(String),
    File(String),
}

/// What the program gets.
pub(super) struct Plan {
    pub(super) variables: Vec<Variable>,
    pub(super) files: Vec<Taken>,
    /// Everything that must not be printed.
    pub(super) hidden: Vec<(SecretName, SecretValue)>,
    /// Names that were left out, and why.
    pub(super) refused: Vec<(SecretName, &'static str)>,
    pub(super) rows: Vec<Row>,
}

/// What was resolved, by what it was asked for.
type Items = HashMap<Reference, ResolvedItem>;

impl Plan {
    /// Puts each value where it belongs. `items` holds everything that the wish asks for; in a dry run it holds no
    /// values, and neither does the plan.
    pub(super) fn of(wish: &Wish, items: Vec<ResolvedItem>) -> Result<Self, ServiceError> {
        let own: Vec<Reference> = match &wish.own {
            Own::All => {
                items.iter().filter(|item| item.name().is_some()).map(|item| item.reference.clone()).collect()
            }
            Own::These(names) => names.iter().cloned().map(Reference::Secret).collect(),
        };
        let items: Items = items.into_iter().map(|item| (item.reference.clone(), item)).collect();
        let mut plan = Self {
            variables: Vec::new(),
            files: Vec::new(),
            hidden: Vec::new(),
            refused: Vec::new(),
            rows: Vec::new(),
        };
        // by name, so that what comes later wins, and the table has one line for each
        let mut variables = BTreeMap::new();
        for reference in own {
            let Reference::Secret(name) = &reference else { continue };
            let name = name.clone();
            if wish.as_files {
                plan.add_file(name, &reference, &items)?;
            } else if let Some(why) = wish.danger(name.as_str()) {
                plan.refused.push((name, why));
            } else {
                variables.insert(name.to_string(), Given::Whole(reference));
            }
        }
        for text in &wish.texts {
            variables.insert(text.variable.clone(), Given::Rendered(text));
        }
        for (variable, reference) in &wish.mapped {
            variables.insert(variable.clone(), Given::Whole(reference.clone()));
        }
        for (name, given) in variables {
            plan.add_variable(name, given, &items)?;
        }
        plan.hide(items);
        Ok(plan)
    }

    fn add_file(
        &mut self,
        name: SecretName,
        reference: &Reference,
        items: &Items,
    ) -> Result<(), ServiceError> {
        let item = find(items, reference)?;
        self.rows.push(row(Place::File(name.to_string()), Some(item)));
        if let Some(value) = &item.value {
            self.files.push(Taken { name, value: value.duplicate() });
        }
        Ok(())
    }

    fn add_variable(&mut self, name: String, given: Given<'_>, items: &Items) -> Result<(), ServiceError> {
        match given {
            Given::Whole(reference) => {
                let item = find(items, &reference)?;
                self.rows.push(row(Place::Variable(name.clone()), Some(item)));
                if let Some(value) = &item.value {
                    self.variables.push(Variable { name, value: value.duplicate() });
                }
            }
            Given::Rendered(text) => {
                let template = text.template()?;
                for reference in template.references() {
                    self.rows.push(row(Place::Variable(name.clone()), Some(find(items, reference)?)));
                }
                if template.references().is_empty() {
                    self.rows.push(row(Place::Variable(name.clone()), None));
                }
                if let Some(value) = rendered(text, &template, items)? {
                    self.variables.push(Variable { name, value });
                }
            }
        }
        Ok(())
    }

    /// All values are hidden, except those that are not given at all.
    fn hide(&mut self, items: Items) {
        let mut items: Vec<ResolvedItem> = items.into_values().collect();
        items.sort_by(|a, b| a.reference.cmp(&b.reference));
        for item in items {
            let name = match &item.reference {
                Reference::Secret(name) => name.clone(),
                Reference::Provider { alias, key } => shown_as(&format!("{alias}_{key}")),
            };
            let given = !self.refused.iter().any(|(refused, _)| item.name() == Some(refused));
            if let Some(value) = item.value.filter(|_| given) {
                self.hidden.push((name, value));
            }
        }
    }
}

enum Given<'a> {
    Whole(Reference),
    Rendered(&'a Text),
}

fn find<'a>(items: &'a Items, reference: &Reference) -> Result<&'a ResolvedItem, ServiceError> {
    items.get(reference).ok_or_else(|| usage(format!("there is no value for {reference}")))
}

/// The text with its values; `None` if they are not there, in a dry run.
fn rendered(
    text: &Text,
    template: &Template<'_>,
    items: &Items,
) -> Result<Option<SecretValue>, ServiceError> {
    let found = template.references().iter().map(|reference| find(items, reference));
    if found.collect::<Result<Vec<_>, _>>()?.iter().any(|item| item.value.is_none()) {
        return Ok(None);
    }
    let lookup = |reference: &Reference| items.get(reference)?.value.as_ref().map(SecretValue::expose);
    let failed = |why: String| usage(format!("{}: {why}", text.variable));
    let size = template.rendered_size(lookup).map_err(|error| failed(error.to_string()))?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(size));
    template.render(lookup, &mut *bytes).map_err(|error| failed(error.to_string()))?;
    SecretValue::new(std::mem::take(&mut *bytes)).map(Some).map_err(|error| failed(error.to_string()))
}

/// A name for what a provider keeps, in the place of its value.
fn shown_as(text: &str) -> SecretName {
    let word: String = text
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
        .take(crate::domain::name::MAX_NAME)
        .collect();
    SecretName::parse(&word).unwrap_or_else(|_| shown_as("PROVIDER"))
}

fn row(place: Place, item: Option<&ResolvedItem>) -> Row {
    Row {
        place,
        reference: item.map(|item| item.reference.clone()),
        source: item.map(|item| item.source.clone()),
        version: item.and_then(|item| item.version),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::domain::ScopeRef;

    fn item(name: &str, value: Option<&str>) -> ResolvedItem {
        ResolvedItem {
            reference: Reference::Secret(SecretName::parse(name).unwrap()),
            source: Source::Scope(ScopeRef::Organization),
            version: Some(1),
            value: value.map(|value| SecretValue::new(value.into()).unwrap()),
        }
    }

    fn wish(own: Own) -> Wish {
        Wish { own, mapped: Vec::new(), texts: Vec::new(), as_files: false, allowed: Vec::new() }
    }

    fn variables(plan: &Plan) -> Vec<String> {
        let text = |v: &Variable| format!("{}={}", v.name, v.value.expose_text().unwrap());
        plan.variables.iter().map(text).collect()
    }

    #[test]
    fn a_dangerous_name_in_the_vault_is_left_out_unless_it_is_allowed() {
        let items = || vec![item("A", Some("1")), item("LD_PRELOAD", Some("/evil.so"))];
        let plan = Plan::of(&wish(Own::All), items()).unwrap();
        assert_eq!(variables(&plan), ["A=1"]);
        assert_eq!(plan.refused[0].0.as_str(), "LD_PRELOAD");
        assert_eq!(plan.hidden.len(), 1);
        let mut allowing = wish(Own::All);
        allowing.allowed.push("LD_PRELOAD".to_owned());
        assert_eq!(variables(&Plan::of(&allowing, items()).unwrap()), ["A=1", "LD_PRELOAD=/evil.so"]);
    }

    #[test]
    fn a_mapping_wins_over_a_line_of_a_file_and_that_over_a_name() {
        let mut wish = wish(Own::These(vec![SecretName::parse("A").unwrap()]));
        wish.texts.push(Text::new("A", "x-{{$secret.B}}-{{ vault.B }}"));
        let items = || vec![item("A", Some("1")), item("B", Some("2"))];
        assert_eq!(variables(&Plan::of(&wish, items()).unwrap()), ["A=x-2-2"]);
        wish.mapped.push(("A".to_owned(), Reference::Secret(SecretName::parse("B").unwrap())));
        assert_eq!(variables(&Plan::of(&wish, items()).unwrap()), ["A=2"]);
    }

    #[test]
    fn a_value_that_looks_like_a_reference_stays_as_it_is() {
        let mut wish = wish(Own::These(Vec::new()));
        wish.texts.push(Text::new("X", "{{$secret.A}}"));
        let items = vec![item("A", Some("{{$secret.B}}")), item("B", Some("2"))];
        assert_eq!(variables(&Plan::of(&wish, items).unwrap()), ["X={{$secret.B}}"]);
    }

    #[test]
    fn a_dry_run_has_rows_and_no_values() {
        let mut wish = wish(Own::All);
        wish.texts.push(Text::new("URL", "{{$secret.A}}:{{$secret.B}}"));
        let plan = Plan::of(&wish, vec![item("A", None), item("B", None)]).unwrap();
        assert!(plan.variables.is_empty() && plan.hidden.is_empty());
        assert_eq!(plan.rows.len(), 4);
    }

    #[test]
    fn what_a_provider_keeps_has_a_name_of_its_own_when_it_is_hidden() {
        assert_eq!(shown_as("aws-prod_path/to/key#field").as_str(), "AWS_PROD_PATH_TO_KEY_FIELD");
        assert_eq!(shown_as(&"é".repeat(200)).as_str(), "_".repeat(128));
    }
}
