//! Looks, by role: what is dangerous, masked, muted or selected; never a colour outside this file.
//!
//! Four themes (dark, light, sixteen colours, none) over two sets of symbols (UTF-8, ASCII). A selection and a warning
//! are visible in every one of them without colour: by a symbol, a word, or reverse video.

use ratatui::style::{Color, Modifier, Style};
use std::ffi::OsString;

/// The themes that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThemeName {
    /// For dark terminals with 256 colours.
    Dark,
    /// For light terminals with 256 colours.
    Light,
    /// The terminal's own sixteen colours.
    Sixteen,
    /// No colour at all (`NO_COLOR`).
    None,
}

impl ThemeName {
    /// Chooses from the setting (`auto`, `dark`, `light`, `sixteen`, `none`) and the environment.
    /// `NO_COLOR` (not empty) wins over everything.
    pub fn choose(setting: &str, no_color: bool, env: &dyn Fn(&str) -> Option<OsString>) -> Self {
        let has = |name: &str| env(name).is_some_and(|value| !value.is_empty());
        let text =
            |name: &str| env(name).map(|value| value.to_string_lossy().into_owned()).unwrap_or_default();
        if no_color || has("NO_COLOR") || text("TERM") == "dumb" {
            return Self::None;
        }
        match setting {
            "dark" => return Self::Dark,
            "light" => return Self::Light,
            "sixteen" => return Self::Sixteen,
            "none" => return Self::None,
            _ => {}
        }
        if !has("COLORTERM") && !text("TERM").contains("256") && !text("TERM").contains("direct") {
            return Self::Sixteen;
        }
        // COLORFGBG is "15;0" or "15;default;0": the last part is the background; 7 and 15 are light.
        match text("COLORFGBG").rsplit(';').next() {
            Some("7" | "15") => Self::Light,
            _ => Self::Dark,
        }
    }
}

/// True if the locale can show more than ASCII.
pub fn utf8_locale(env: &dyn Fn(&str) -> Option<OsString>) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| env(name).filter(|value| !value.is_empty()))
        .map(|value| value.to_string_lossy().to_ascii_lowercase().replace('-', ""));
    // An unset locale is common in containers whose terminal is UTF-8 all the same.
    locale.is_none_or(|text| text.contains("utf8") || text == "c.utf8") || cfg!(windows)
}

/// The characters that are not text.
#[derive(Debug, Clone)]
pub(crate) struct Symbols {
    pub cursor: &'static str,
    pub mark: &'static str,
    pub bullet: &'static str,
    pub warning: &'static str,
    pub dot: &'static str,
    pub ellipsis: &'static str,
    pub ok: &'static str,
    pub full: &'static str,
    pub empty: &'static str,
    pub spinner: &'static [&'static str],
    pub border: ratatui::symbols::border::Set<'static>,
    pub rule: &'static str,
}

const UTF8: Symbols = Symbols {
    cursor: "▸",
    mark: "●",
    bullet: "•",
    warning: "▲",
    dot: "·",
    ellipsis: "…",
    ok: "✓",
    full: "━",
    empty: "─",
    spinner: &["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"],
    border: ratatui::symbols::border::ROUNDED,
    rule: "─",
};

const ASCII: Symbols = Symbols {
    cursor: ">",
    mark: "*",
    bullet: "*",
    warning: "!",
    dot: "-",
    ellipsis: "~",
    ok: "+",
    full: "#",
    empty: ".",
    spinner: &["|", "/", "-", "\\"],
    border: ratatui::symbols::border::Set {
        top_left: "+",
        top_right: "+",
        bottom_left: "+",
        bottom_right: "+",
        vertical_left: "|",
        vertical_right: "|",
        horizontal_top: "-",
        horizontal_bottom: "-",
    },
    rule: "-",
};

/// One look: a style for each role.
#[derive(Debug, Clone)]
pub struct Theme {
    /// Which theme it is.
    pub name: ThemeName,
    pub(crate) symbols: Symbols,
    pub(crate) text: Style,
    pub(crate) title: Style,
    pub(crate) muted: Style,
    pub(crate) faint: Style,
    pub(crate) accent: Style,
    pub(crate) key: Style,
    pub(crate) border: Style,
    pub(crate) focus: Style,
    pub(crate) selected: Style,
    pub(crate) matched: Style,
    pub(crate) mark: Style,
    pub(crate) masked: Style,
    pub(crate) danger: Style,
    pub(crate) warning: Style,
    pub(crate) ok: Style,
    pub(crate) input: Style,
    pub(crate) disabled: Style,
    pub(crate) badge: Style,
    pub(crate) changed: Style,
    pub(crate) tab: Style,
}

impl Theme {
    /// The theme of that name, with UTF-8 or ASCII symbols.
    pub fn named(name: ThemeName, utf8: bool) -> Self {
        let symbols = if utf8 { UTF8 } else { ASCII };
        let plain = Style::new();
        let bold = plain.add_modifier(Modifier::BOLD);
        let fg = |index: u8| plain.fg(Color::Indexed(index));
        match name {
            ThemeName::Dark => Self {
                name,
                symbols,
                text: plain,
                title: fg(255).add_modifier(Modifier::BOLD),
                muted: fg(246),
                faint: fg(240),
                accent: fg(110),
                key: fg(110),
                border: fg(239),
                focus: fg(110),
                selected: fg(255).bg(Color::Indexed(24)).add_modifier(Modifier::BOLD),
                matched: fg(215).add_modifier(Modifier::BOLD),
                mark: fg(215),
                masked: fg(246),
                danger: fg(203).add_modifier(Modifier::BOLD),
                warning: fg(179),
                ok: fg(108),
                input: fg(255).bg(Color::Indexed(236)),
                disabled: fg(244).bg(Color::Indexed(234)),
                badge: fg(233).bg(Color::Indexed(179)).add_modifier(Modifier::BOLD),
                changed: fg(179),
                tab: fg(110).add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
            },
            ThemeName::Light => Self {
                name,
                symbols,
                text: plain,
                title: fg(232).add_modifier(Modifier::BOLD),
                muted: fg(242),
                faint: fg(248),
                accent: fg(25),
                key: fg(25),
                border: fg(250),
                focus: fg(25),
                selected: fg(232).bg(Color::Indexed(153)).add_modifier(Modifier::BOLD),
                matched: fg(130).add_modifier(Modifier::BOLD),
                mark: fg(130),
                masked: fg(242),
                danger: fg(160).add_modifier(Modifier::BOLD),
                warning: fg(130),
                ok: fg(28),
                input: fg(232).bg(Color::Indexed(254)),
                disabled: fg(244).bg(Color::Indexed(255)),
                badge: fg(255).bg(Color::Indexed(130)).add_modifier(Modifier::BOLD),
                changed: fg(130),
                tab: fg(25).add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
            },
            ThemeName::Sixteen => Self {
                name,
                symbols,
                text: plain,
                title: bold,
                muted: plain.fg(Color::DarkGray),
                faint: plain.fg(Color::DarkGray),
                accent: plain.fg(Color::Cyan),
                key: plain.fg(Color::Cyan),
                border: plain.fg(Color::DarkGray),
                focus: plain.fg(Color::Cyan),
                selected: bold.add_modifier(Modifier::REVERSED),
                matched: plain.fg(Color::Yellow).add_modifier(Modifier::BOLD),
                mark: plain.fg(Color::Yellow),
                masked: plain.fg(Color::DarkGray),
                danger: plain.fg(Color::Red).add_modifier(Modifier::BOLD),
                warning: plain.fg(Color::Yellow),
                ok: plain.fg(Color::Green),
                input: plain.add_modifier(Modifier::UNDERLINED),
                disabled: plain.fg(Color::DarkGray),
                badge: plain.fg(Color::Yellow).add_modifier(Modifier::BOLD | Modifier::REVERSED),
                changed: plain.fg(Color::Yellow),
                tab: plain.fg(Color::Cyan).add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
            },
            ThemeName::None => Self {
                name,
                symbols,
                text: plain,
                title: bold,
                muted: plain,
                faint: plain,
                accent: bold,
                key: bold,
                border: plain,
                focus: plain,
                selected: bold.add_modifier(Modifier::REVERSED),
                matched: plain.add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
                mark: bold,
                masked: plain,
                danger: plain.add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
                warning: bold,
                ok: plain,
                input: plain.add_modifier(Modifier::UNDERLINED),
                disabled: plain.add_modifier(Modifier::DIM),
                badge: bold.add_modifier(Modifier::REVERSED),
                changed: bold,
                tab: bold.add_modifier(Modifier::UNDERLINED),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &'static [(&'static str, &'static str)]) -> impl Fn(&str) -> Option<OsString> {
        move |name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
    }

    #[test]
    fn no_color_wins_over_the_setting() {
        assert_eq!(ThemeName::choose("dark", false, &env(&[("NO_COLOR", "1")])), ThemeName::None);
        assert_eq!(ThemeName::choose("dark", true, &env(&[])), ThemeName::None);
        assert_eq!(ThemeName::choose("dark", false, &env(&[("NO_COLOR", "")])), ThemeName::Dark);
    }

    #[test]
    fn auto_follows_the_terminal() {
        assert_eq!(ThemeName::choose("auto", false, &env(&[("TERM", "linux")])), ThemeName::Sixteen);
        assert_eq!(ThemeName::choose("auto", false, &env(&[("TERM", "xterm-256color")])), ThemeName::Dark);
        let light = env(&[("TERM", "xterm-256color"), ("COLORFGBG", "0;default;15")]);
        assert_eq!(ThemeName::choose("auto", false, &light), ThemeName::Light);
    }

    #[test]
    fn the_look_without_colour_has_no_colour() {
        let theme = Theme::named(ThemeName::None, true);
        for style in [theme.selected, theme.danger, theme.muted, theme.badge, theme.input, theme.matched] {
            assert!(style.fg.is_none() && style.bg.is_none());
        }
    }

    #[test]
    fn a_locale_without_utf8_gets_ascii() {
        assert!(!utf8_locale(&env(&[("LANG", "C")])));
        assert!(utf8_locale(&env(&[("LC_ALL", "en_US.UTF-8"), ("LANG", "C")])));
        assert!(utf8_locale(&env(&[])));
    }
}
