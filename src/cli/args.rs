//! The command line as clap reads it: the flags that every command knows, and the list of commands.
//!
//! A command's own arguments live in its file. Names and values are taken as plain text here and checked by the
//! command, so that a mistyped value is never echoed by the parser.

use super::commands as c;
use clap::{Args, Parser, Subcommand, ValueEnum};

const EXAMPLES: &str = "\
Examples:
  sealbox                                     open the terminal UI
  sealbox demo                                look around in a throw-away vault
  sealbox init --org acme --name ada          make a vault
  sealbox project create billing
  printf %s \"$KEY\" | sealbox set STRIPE_KEY -p billing
  sealbox get STRIPE_KEY -p billing
  sealbox help exit-codes                     what the exit codes mean

The scope is the flag (-p, --org), else SEALBOX_PROJECT, else the nearest .sealbox.toml, else the organization.
The passphrase is asked on the terminal, or read from --passphrase-fd or SEALBOX_PASSPHRASE_FILE.";

/// Keep secrets, from a terminal.
///
/// A vault holds an organization's secrets and those of its projects, sealed on this machine. Without a command, on a
/// terminal, the terminal UI opens.
#[derive(Parser)]
#[command(name = "sealbox", version, after_help = EXAMPLES, disable_help_subcommand = true, propagate_version = false)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(flatten)]
    pub(crate) scope: TopScope,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// Flags that every command knows.
#[derive(Args, Default, Clone)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Globals {
    /// Which vault: a name, or the path of a folder (anything with a `/`) [env: SEALBOX_VAULT]
    #[arg(long, global = true, value_name = "VAULT")]
    pub(crate) vault: Option<String>,
    /// Answer in JSON, with a schema_version; errors too
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// No talk on stderr except warnings and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// More on stderr: the causes of an error
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    /// Read the passphrase from this file descriptor
    #[arg(long, global = true, value_name = "N")]
    pub(crate) passphrase_fd: Option<u32>,
    /// Never ask anything; fail instead [env: SEALBOX_NO_INPUT]
    #[arg(long, global = true)]
    pub(crate) no_input: bool,
    /// Neither start nor use an agent [env: SEALBOX_NO_AGENT]
    #[arg(long, global = true)]
    pub(crate) no_agent: bool,
    /// Colours: `auto` follows the terminal and NO_COLOR
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        hide_possible_values = false
    )]
    pub(crate) color: Color,
}

/// When to use colours.
#[derive(ValueEnum, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The scope, given before the command.
#[derive(Args, Default, Clone)]
pub(crate) struct TopScope {
    /// Work in this project
    #[arg(id = "top_project", short = 'p', long = "project", value_name = "PROJECT")]
    pub(crate) project: Option<String>,
    /// Work in the organization, whatever the folder says
    #[arg(id = "top_org", long = "org", conflicts_with = "top_project")]
    pub(crate) org: bool,
}

/// The scope, given after the command; it wins over [`TopScope`].
#[derive(Args, Default, Clone)]
pub(crate) struct ScopeArgs {
    /// Work in this project [env: SEALBOX_PROJECT]
    #[arg(short, long, value_name = "PROJECT")]
    pub(crate) project: Option<String>,
    /// Work in the organization, whatever the folder says
    #[arg(long, conflicts_with = "project")]
    pub(crate) org: bool,
}

/// A command that takes the scope and nothing else.
#[derive(Args, Default)]
pub(crate) struct ScopedOnly {
    #[command(flatten)]
    pub(crate) scope: ScopeArgs,
}

/// A command that takes nothing.
#[derive(Args)]
pub(crate) struct Nothing {}

/// Every command; each is documented by its own file's `Args`.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a new vault
    #[command(after_help = c::init::EXAMPLES)]
    Init(c::init::InitArgs),
    /// Say where the vault stands; needs no passphrase
    #[command(after_help = c::status::EXAMPLES)]
    Status(c::status::StatusArgs),
    /// Open the vault once, for all commands until it locks
    #[command(after_help = c::unlock::EXAMPLES)]
    Unlock(c::unlock::UnlockArgs),
    /// Wipe the keys from memory
    #[command(after_help = c::lock::EXAMPLES)]
    Lock(Nothing),
    /// Start, stop and look at the agent, which keeps the vault open
    Agent(c::agent::AgentArgs),
    /// Create a secret, or write a new version of it
    #[command(after_help = c::set::EXAMPLES)]
    Set(c::set::SetArgs),
    /// Print a value, byte for byte
    #[command(after_help = c::get::EXAMPLES)]
    Get(c::get::GetArgs),
    /// List names and dates; never a value
    #[command(visible_alias = "ls", after_help = c::list::EXAMPLES)]
    List(c::list::ListArgs),
    /// Change a value in your editor
    #[command(after_help = c::edit::EXAMPLES)]
    Edit(c::edit::EditArgs),
    /// Run a program with secrets in its environment, and hide them in what it prints
    #[command(visible_alias = "exec", after_help = c::run::EXAMPLES)]
    Run(c::run::RunArgs),
    /// Delete a secret and all of its versions, for good
    #[command(visible_alias = "rm", after_help = c::delete::EXAMPLES)]
    Delete(c::delete::DeleteArgs),
    /// Copy a value to the clipboard, without showing it
    #[command(after_help = c::copy::EXAMPLES)]
    Copy(c::copy::CopyArgs),
    /// Hold or clear a clipboard for `copy` and the TUI
    #[command(hide = true, after_help = c::clipboard_holder::EXAMPLES)]
    ClipboardHolder(c::clipboard_holder::HolderArgs),
    /// List the versions of a secret
    #[command(after_help = c::history::EXAMPLES)]
    History(c::history::HistoryArgs),
    /// Bring an old version's value back, as a new version
    #[command(after_help = c::rollback::EXAMPLES)]
    Rollback(c::rollback::RollbackArgs),
    /// Make a random value; print it, or store it unseen
    #[command(after_help = c::generate::EXAMPLES)]
    Generate(c::generate::GenerateArgs),
    /// Search the names of every scope you can see
    #[command(after_help = c::find::EXAMPLES)]
    Find(c::find::FindArgs),
    /// Look through files for references to secrets, and for values that leaked
    #[command(after_help = c::scan::EXAMPLES)]
    Scan(c::scan::ScanArgs),
    /// Look for weak, doubled, overdue and misnamed secrets; names only
    #[command(after_help = c::lint::EXAMPLES)]
    Lint(c::lint::LintArgs),
    /// Create and list projects
    Project(c::project::ProjectArgs),
    /// Write many secrets from a dotenv, JSON or YAML file: all of it or nothing
    #[command(after_help = c::import::EXAMPLES)]
    Import(c::import::ImportArgs),
    /// Write many secrets out, as dotenv, JSON or YAML
    #[command(after_help = c::export::EXAMPLES)]
    Export(c::export::ExportArgs),
    /// Replace the references in a text by their values
    #[command(after_help = c::inject::EXAMPLES)]
    Inject(c::inject::InjectArgs),
    /// Admit, list, change and remove members
    Member(c::member::MemberArgs),
    /// Print your own ID string, to send to an owner
    #[command(after_help = c::id::EXAMPLES)]
    Id(Nothing),
    /// Open the scopes of a link that an owner sent you
    #[command(after_help = c::join::EXAMPLES)]
    Join(c::join::JoinArgs),
    /// Change the passphrase
    #[command(after_help = c::passwd::EXAMPLES)]
    Passwd(c::passwd::PasswdArgs),
    /// Print what was changed in a scope, signed, and what was read
    #[command(after_help = c::log::EXAMPLES)]
    Log(c::log::LogArgs),
    /// Check every signature, link and ciphertext; needs no passphrase
    #[command(after_help = c::verify::EXAMPLES)]
    Verify(Nothing),
    /// Write a copy of the sealed store; needs no passphrase
    #[command(after_help = c::backup::EXAMPLES)]
    Backup(c::backup::BackupArgs),
    /// Put a backup back, or get in again with the recovery key
    #[command(after_help = c::restore::EXAMPLES)]
    Restore(c::restore::RestoreArgs),
    /// Destroy the vault on this machine
    #[command(after_help = c::reset::EXAMPLES)]
    Reset(c::reset::ResetArgs),
    /// Look for what is wrong, and say what to do
    #[command(after_help = c::doctor::EXAMPLES)]
    Doctor(c::doctor::DoctorArgs),
    /// Open the terminal UI on a throw-away vault with sample data
    #[command(after_help = c::demo::EXAMPLES)]
    Demo(c::demo::DemoArgs),
    /// Open the terminal UI (the default on a terminal)
    #[command(after_help = c::tui::EXAMPLES)]
    Tui(ScopedOnly),
    /// Print a completion script for your shell
    #[command(after_help = c::completions::EXAMPLES)]
    Completions(c::completions::CompletionsArgs),
    /// Print or write the manual pages
    #[command(after_help = c::man::EXAMPLES)]
    Man(c::man::ManArgs),
    /// Explain a command, or the exit codes
    #[command(after_help = c::help::EXAMPLES)]
    Help(c::help::HelpArgs),
}
