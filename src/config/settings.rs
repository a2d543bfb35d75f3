//! The settings of `config.toml`, overridden by `SEALBOX_*` variables.
//!
//! Owns defaults, spelling and bounds. Invariant: an unknown key or an unreadable value is an error that names it; a
//! typing mistake never silently means the default.

use super::{ConfigError, read_toml, unknown};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

/// All settings, with the defaults of `assets/config.default.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Lock after this long without a key press; `None` never.
    pub lock_idle: Option<Duration>,
    /// Lock after this long in any case; `None` never.
    pub lock_max: Option<Duration>,
    /// Whether an agent is started and used.
    pub agent_start: AgentStart,
    /// How values are copied.
    pub clipboard_mode: ClipboardMode,
    /// The program and its arguments that take a value on stdin, for [`ClipboardMode::Command`].
    pub clipboard_command: Vec<String>,
    /// Clear what was copied after this long; `None` never.
    pub clipboard_clear_after: Option<Duration>,
    /// Refuse to hand out a value if it cannot be written into the read log.
    pub audit_required: bool,
    /// Hide a revealed value after this long; `None` never.
    pub reveal_hide_after: Option<Duration>,
    /// Colours.
    pub theme: Theme,
    /// Whether the TUI takes mouse events.
    pub mouse: bool,
    /// Action name to keys, as written; the keymap reads them.
    pub keys: BTreeMap<String, Vec<String>>,
}

/// Whether an agent is started and used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgentStart {
    /// When a person unlocks.
    Auto,
    /// Never.
    Never,
}

/// How values are copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClipboardMode {
    /// System clipboard at a desk, OSC 52 over SSH.
    Auto,
    /// The system clipboard only.
    System,
    /// The terminal's clipboard only.
    Osc52,
    /// The program of `clipboard.command` only.
    Command,
}

/// Colours of the TUI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// What fits the terminal.
    Auto,
    /// For a dark background.
    Dark,
    /// For a light background.
    Light,
    /// Only the 16 colours of the terminal.
    Sixteen,
    /// No colour.
    None,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lock_idle: Some(Duration::from_secs(15 * 60)),
            lock_max: Some(Duration::from_secs(12 * 3600)),
            agent_start: AgentStart::Auto,
            clipboard_mode: ClipboardMode::Auto,
            clipboard_command: Vec::new(),
            clipboard_clear_after: Some(Duration::from_secs(30)),
            audit_required: false,
            reveal_hide_after: Some(Duration::from_secs(30)),
            theme: Theme::Auto,
            mouse: false,
            keys: BTreeMap::new(),
        }
    }
}

const SECTIONS: [&str; 7] = ["lock", "agent", "clipboard", "reveal", "audit", "ui", "keys"];
/// Section, key, and the variable that overrides it.
const KNOWN: [(&str, &str, &str); 10] = [
    ("lock", "idle", "SEALBOX_LOCK_IDLE"),
    ("lock", "max", "SEALBOX_LOCK_MAX"),
    ("agent", "start", "SEALBOX_AGENT"),
    ("clipboard", "mode", "SEALBOX_CLIPBOARD"),
    ("clipboard", "command", "SEALBOX_CLIPBOARD_COMMAND"),
    ("clipboard", "clear_after", "SEALBOX_CLIPBOARD_CLEAR_AFTER"),
    ("reveal", "hide_after", "SEALBOX_REVEAL_HIDE_AFTER"),
    ("audit", "required", "SEALBOX_AUDIT_REQUIRED"),
    ("ui", "theme", "SEALBOX_THEME"),
    ("ui", "mouse", "SEALBOX_MOUSE"),
];

impl Settings {
    /// Defaults, then the file (which need not exist), then the environment. `NO_COLOR` means no colour unless
    /// `SEALBOX_THEME` says otherwise.
    pub fn load(path: &Path, env: &dyn Fn(&str) -> Option<OsString>) -> Result<Self, ConfigError> {
        let mut settings = Self::default();
        if let Some(table) = read_toml(path)? {
            settings.read_file(path, &table)?;
        }
        if env("NO_COLOR").is_some_and(|value| !value.is_empty()) {
            settings.theme = Theme::None;
        }
        for (section, key, variable) in KNOWN {
            if let Some(text) = env(variable).filter(|text| !text.is_empty()) {
                let value = toml::Value::String(text.to_string_lossy().into_owned());
                settings.set(variable, section, key, &value)?;
            }
        }
        Ok(settings)
    }

    fn read_file(&mut self, path: &Path, table: &toml::Table) -> Result<(), ConfigError> {
        let place = super::shown(path);
        for (section, content) in table {
            if !SECTIONS.contains(&section.as_str()) {
                return Err(unknown(path, "", section, &SECTIONS));
            }
            let Some(content) = content.as_table() else {
                return Err(bad(&place, section, "is a section: write it as [".to_owned() + section + "]"));
            };
            for (key, value) in content {
                if section == "keys" {
                    let keys = texts(value).ok_or_else(|| {
                        bad(&place, &format!("keys.{key}"), "must be a list of keys such as [\"x\"]")
                    })?;
                    self.keys.insert(key.clone(), keys);
                    continue;
                }
                let known: Vec<&str> =
                    KNOWN.iter().filter(|(known, ..)| known == section).map(|(_, key, _)| *key).collect();
                if !known.contains(&key.as_str()) {
                    return Err(unknown(path, section, key, &known));
                }
                self.set(&place, section, key, value)?;
            }
        }
        Ok(())
    }

    fn set(&mut self, place: &str, section: &str, key: &str, value: &toml::Value) -> Result<(), ConfigError> {
        let name = format!("{section}.{key}");
        let duration = || {
            value.as_str().and_then(parse_duration).ok_or_else(|| {
                bad(
                    place,
                    &name,
                    "must be a duration of at least a second, such as \"30s\", \"15m\", \"12h\" or \"off\"",
                )
            })
        };
        match (section, key) {
            ("lock", "idle") => self.lock_idle = duration()?,
            ("lock", "max") => self.lock_max = duration()?,
            ("agent", _) => {
                self.agent_start = match value.as_str() {
                    Some("auto") => AgentStart::Auto,
                    Some("never") => AgentStart::Never,
                    _ => return Err(bad(place, &name, "must be \"auto\" or \"never\"")),
                }
            }
            ("clipboard", "clear_after") => self.clipboard_clear_after = duration()?,
            ("reveal", "hide_after") => self.reveal_hide_after = duration()?,
            ("clipboard", "command") => {
                // from a variable the words are parted by blanks
                let words = match value.as_str() {
                    Some(text) => Some(text.split_whitespace().map(str::to_owned).collect()),
                    None => texts(value),
                };
                self.clipboard_command = words.ok_or_else(|| {
                    bad(
                        place,
                        &name,
                        "must be a program with its arguments such as [\"wl-copy\", \"--sensitive\"]",
                    )
                })?;
            }
            ("clipboard", _) => {
                self.clipboard_mode = match value.as_str() {
                    Some("auto") => ClipboardMode::Auto,
                    Some("system") => ClipboardMode::System,
                    Some("osc52") => ClipboardMode::Osc52,
                    Some("command") => ClipboardMode::Command,
                    _ => {
                        let problem = "must be \"auto\", \"system\", \"osc52\" or \"command\"";
                        return Err(bad(place, &name, problem));
                    }
                }
            }
            ("ui", "theme") => {
                self.theme = match value.as_str() {
                    Some("auto") => Theme::Auto,
                    Some("dark") => Theme::Dark,
                    Some("light") => Theme::Light,
                    Some("sixteen") => Theme::Sixteen,
                    Some("none") => Theme::None,
                    _ => {
                        let problem = "must be \"auto\", \"dark\", \"light\", \"sixteen\" or \"none\"";
                        return Err(bad(place, &name, problem));
                    }
                }
            }
            ("audit", _) => self.audit_required = flag(place, &name, value)?,
            _ => self.mouse = flag(place, &name, value)?,
        }
        Ok(())
    }
}

/// From a variable every value is text.
fn flag(place: &str, name: &str, value: &toml::Value) -> Result<bool, ConfigError> {
    match (value.as_bool(), value.as_str()) {
        (Some(on), _) => Ok(on),
        (_, Some("true")) => Ok(true),
        (_, Some("false")) => Ok(false),
        _ => Err(bad(place, name, "must be true or false")),
    }
}

fn texts(value: &toml::Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|key| key.as_str().map(str::to_owned)).collect()
}

fn bad(place: &str, key: &str, problem: impl Into<String>) -> ConfigError {
    ConfigError::BadValue {
        place: place.to_owned(),
        key: crate::domain::printable::line(key),
        problem: problem.into(),
    }
}

/// `30s`, `15m`, `12h`; `off` is `Some(None)`. From one second up to 365 days; anything else is `None`.
pub fn parse_duration(text: &str) -> Option<Option<Duration>> {
    let text = text.trim();
    if text == "off" {
        return Some(None);
    }
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return None,
    };
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let seconds = digits.parse::<u64>().ok()?.checked_mul(unit)?;
    (1..=365 * 24 * 3600).contains(&seconds).then(|| Some(Duration::from_secs(seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str, vars: &[(&str, &str)]) -> Result<Settings, ConfigError> {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("config.toml");
        std::fs::write(&path, text).unwrap();
        Settings::load(&path, &|name| {
            vars.iter().find(|(key, _)| *key == name).map(|(_, v)| OsString::from(v))
        })
    }

    #[test]
    fn the_shipped_file_says_the_defaults() {
        let shipped = include_str!("../../assets/config.default.toml");
        assert_eq!(load(shipped, &[]).unwrap(), Settings::default());
        for (section, key, _) in KNOWN {
            assert!(
                shipped.contains(&format!("[{section}]")) && shipped.contains(&format!("\n{key} = ")),
                "{key}"
            );
        }
    }

    #[test]
    fn a_missing_file_is_the_defaults() {
        let settings = Settings::load(Path::new("/nonexistent/config.toml"), &|_| None).unwrap();
        assert_eq!(settings, Settings::default());
    }

    #[test]
    fn the_file_overrides_the_defaults_and_the_environment_overrides_the_file() {
        let text = "[lock]\nidle = \"off\"\n[ui]\ntheme = \"dark\"\nmouse = true\n[keys]\nlock = [\"ctrl-x\", \"L\"]\n";
        let settings = load(text, &[]).unwrap();
        assert_eq!((settings.lock_idle, settings.theme, settings.mouse), (None, Theme::Dark, true));
        assert_eq!(settings.keys["lock"], ["ctrl-x", "L"]);
        let settings = load(
            text,
            &[("SEALBOX_THEME", "light"), ("SEALBOX_MOUSE", "false"), ("SEALBOX_LOCK_IDLE", "1h")],
        );
        let settings = settings.unwrap();
        assert_eq!((settings.theme, settings.mouse), (Theme::Light, false));
        assert_eq!(settings.lock_idle, Some(Duration::from_secs(3600)));
    }

    #[test]
    fn the_clipboard_program_is_a_list_or_words_in_a_variable() {
        let text = "[clipboard]\nmode = \"command\"\ncommand = [\"wl-copy\", \"-t\", \"text/plain\"]\n";
        let settings = load(text, &[]).unwrap();
        assert_eq!(settings.clipboard_mode, ClipboardMode::Command);
        assert_eq!(settings.clipboard_command, ["wl-copy", "-t", "text/plain"]);
        let settings = load(text, &[("SEALBOX_CLIPBOARD_COMMAND", " xclip  -i ")]).unwrap();
        assert_eq!(settings.clipboard_command, ["xclip", "-i"]);
        let error = load("[clipboard]\ncommand = 3\n", &[]).unwrap_err().to_string();
        assert!(error.contains("clipboard.command must be a program"), "{error}");
    }

    #[test]
    fn no_color_wins_over_the_file_but_not_over_an_explicit_theme() {
        let dark = "[ui]\ntheme = \"dark\"\n";
        assert_eq!(load(dark, &[("NO_COLOR", "1")]).unwrap().theme, Theme::None);
        assert_eq!(load(dark, &[("NO_COLOR", "")]).unwrap().theme, Theme::Dark);
        assert_eq!(
            load(dark, &[("NO_COLOR", "1"), ("SEALBOX_THEME", "sixteen")]).unwrap().theme,
            Theme::Sixteen
        );
    }

    #[test]
    fn mistakes_are_named_with_the_nearest_known_key() {
        for (text, wanted) in [
            ("[ui]\nthem = \"dark\"\n", "unknown setting ui.them; did you mean ui.theme?"),
            ("[clipbord]\nmode = \"auto\"\n", "unknown setting clipbord; did you mean clipboard?"),
            ("idle = \"15m\"\n", "unknown setting idle"),
            ("lock = 3\n", "lock is a section"),
            ("[lock]\nidle = \"15\"\n", "lock.idle must be a duration"),
            ("[lock]\nidle = 15\n", "lock.idle must be a duration"),
            ("[lock]\nidle = \"0s\"\n", "lock.idle must be a duration"),
            ("[ui]\ntheme = \"pink\"\n", "ui.theme must be"),
            ("[agent]\nstart = true\n", "agent.start must be"),
            ("[lock]\nmax = \"never\"\n", "lock.max must be a duration"),
            ("[ui]\nmouse = 1\n", "ui.mouse must be true or false"),
            ("[audit]\nrequired = \"maybe\"\n", "audit.required must be true or false"),
            ("[keys]\nlock = \"x\"\n", "keys.lock must be a list"),
            ("[ui]\n[ui]\n", "line 2"),
            ("[ui\u{1b}]\n", "not valid TOML"),
        ] {
            let error = load(text, &[]).unwrap_err().to_string();
            assert!(error.contains(wanted), "{text:?}: {error}");
            assert!(!error.contains(['\u{1b}', '\n']), "{error:?}");
        }
        let error = load("", &[("SEALBOX_CLIPBOARD", "both")]).unwrap_err().to_string();
        assert_eq!(
            error,
            "SEALBOX_CLIPBOARD: clipboard.mode must be \"auto\", \"system\", \"osc52\" or \"command\""
        );
    }

    #[test]
    fn durations_have_one_spelling() {
        for (text, seconds) in [("30s", 30), ("15m", 900), ("12h", 43_200), (" 1s ", 1)] {
            assert_eq!(parse_duration(text), Some(Some(Duration::from_secs(seconds))), "{text}");
        }
        assert_eq!(parse_duration("off"), Some(None));
        for bad in
            ["", "s", "30", "+3s", "-1s", "1.5h", "0s", "9999999h", "99999999999999999999s", "3é", "1d"]
        {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_oversized_file_is_refused() {
        assert!(load(&"#".repeat(70_000), &[]).unwrap_err().to_string().contains("64 KiB"));
    }
}
