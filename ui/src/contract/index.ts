// Made from src-tauri/crates/broker by its test `contract`; with KUBEFOB_WRITE=1 it writes this file anew.

/**
 * What a person wants done. Tray, window and terminal have no other way in; as JSON it is what a window sends.
 */
export type Command = { "do": "sign-in", 
/**
 * To which account; none: the only one, or the one that needs it.
 */
account: string | null, 
/**
 * Whether to open a browser; if not, an address of one's own is told.
 */
open_browser: boolean, } | { "do": "renew", 
/**
 * Of which account; none: the only one.
 */
account: string | null, } | { "do": "cancel", 
/**
 * Of which account.
 */
account: string, } | { "do": "sign-out", 
/**
 * Of which account; none: the only one.
 */
account: string | null, 
/**
 * End the provider's own session too.
 */
everywhere: boolean, } | { "do": "ask", 
/**
 * Its name; none: the only one.
 */
question: string | null, } | { "do": "answer", 
/**
 * Its name; none: the only one.
 */
question: string | null, 
/**
 * What a person says.
 */
answer: Answer, 
/**
 * Which of the file's other servers were ticked, by their place in the question.
 */
others: Array<number>, } | { "do": "leave", 
/**
 * Its name; none: all that the window asks.
 */
question: string | null, } | { "do": "untrust", 
/**
 * The name of the pair.
 */
name: string, } | { "do": "use", 
/**
 * Its name.
 */
context: string, 
/**
 * In this file; none: the one that the asker's own environment says.
 */
kubeconfig: string | null, } | { "do": "discover", 
/**
 * Its issuer.
 */
issuer: string, } | { "do": "add" } & Add | { "do": "stanza", 
/**
 * Which; none: the only one.
 */
account: string | null, } | { "do": "rename", 
/**
 * Which.
 */
account: string, 
/**
 * What it is called from now on.
 */
label: string, } | { "do": "remove", 
/**
 * Which.
 */
account: string, } | { "do": "try-now", 
/**
 * Of which account.
 */
account: string, } | { "do": "choose", 
/**
 * Which, and what.
 */
choice: Choice, } | { "do": "open", 
/**
 * At which of its screens; none: where it is.
 */
screen: ScreenName | null, };

/**
 * An account to be made.
 */
export type Add = { 
/**
 * The issuer.
 */
issuer: string, 
/**
 * The client id.
 */
client_id: string, 
/**
 * The client secret; none: a public client, or one whose secret is asked for.
 */
client_secret: string | null, 
/**
 * Scopes beside `openid`.
 */
scopes: Array<string>, 
/**
 * What to call it; none: by its provider's host.
 */
label: string | null, 
/**
 * Sign in to it at once.
 */
sign_in: boolean, };

/**
 * A screen of the window.
 */
export type ScreenName = "accounts" | "contexts" | "trusted" | "settings";

/**
 * What a person answered.
 */
export type Answer = "once" | "container" | "always" | "no";

/**
 * The longest that a yes to a question may hold.
 */
export type Longest = "once" | "container" | "always";

/**
 * What whoever sent a command from tray or window is told of it, once.
 */
export type Told = { "is": "done" } | { "is": "provider", 
/**
 * PKCE.
 */
pkce: boolean, 
/**
 * Revocation of tokens.
 */
revocation: boolean, 
/**
 * An end of its own session.
 */
end_session: boolean, } | { "is": "added", 
/**
 * Its id.
 */
account: string, 
/**
 * It was there already.
 */
known: boolean, 
/**
 * How a kubeconfig uses it.
 */
stanza: StanzaView, } | { "is": "signed-out", 
/**
 * Revocation of the tokens.
 */
revocation: StepView, 
/**
 * The end of the provider's own session, where that was asked for.
 */
provider_session: StepView | null, } | { "is": "removed", 
/**
 * The contexts that still name it: a question from there makes it again.
 */
contexts: Array<string>, 
/**
 * Revocation of its tokens; none: it had none.
 */
revocation: StepView | null, } | { "is": "stanza", 
/**
 * How.
 */
stanza: StanzaView, } | { "is": "link", 
/**
 * The address.
 */
url: string, } | { "is": "refused", 
/**
 * What is wrong.
 */
problem: ProblemView, };

/**
 * How a kubeconfig uses an account.
 */
export type StanzaView = { 
/**
 * The user, as YAML for a kubeconfig's `users`.
 */
yaml: string, 
/**
 * The command that writes the same.
 */
command: string, 
/**
 * The redirect URIs; the first that is free is used, and all are to be registered at the provider.
 */
redirects: Array<string>, };

/**
 * What became of a step of a sign-out.
 */
export type StepView = { "is": "done" } | { "is": "nothing" } | { "is": "not-offered" } | { "is": "failed", 
/**
 * Why.
 */
problem: ProblemView, };

/**
 * Everything that is shown.
 */
export type View = { 
/**
 * The accounts; those that need a person first.
 */
accounts: Array<AccountView>, 
/**
 * The pairs that are trusted for good.
 */
trusts: Array<TrustView>, 
/**
 * The questions that wait for an answer.
 */
questions: Array<QuestionView>, 
/**
 * The names of questions that are over since whoever asked has ended, the newest last.
 */
askers_ended: Array<string>, 
/**
 * Where tokens rest.
 */
keep: Keep, 
/**
 * The person's own kubeconfig, `~/.kube/config`; none where it can't be read.
 */
kubeconfig: KubeconfigView | null, 
/**
 * Other kubeconfigs, which askers had, the newest first.
 */
files: Array<KubeconfigView>, 
/**
 * What kubeconfigs offer to sign in to, and is no account yet.
 */
found: Array<FoundView>, 
/**
 * Whose `kubectl-oidc_login` comes first on PATH; none: that is not known.
 */
plugin: PluginView | null, 
/**
 * The language of its texts.
 */
language: Language, 
/**
 * The language that a person chose; none: that of the desktop, and of whoever asks.
 */
chosen_language: Language | null, 
/**
 * When tokens are renewed by themselves.
 */
keep_fresh: KeepFresh, 
/**
 * How the window looks.
 */
theme: Theme, 
/**
 * The redirect URIs of an account that is added; they are to be registered at its provider.
 */
redirects: Array<string>, 
/**
 * What is wrong with the resident itself.
 */
notices: Array<ProblemView>, 
/**
 * Where things rest; none: nobody has said.
 */
places: PlacesView | null, 
/**
 * Whether there is a desktop, and somebody in front of it.
 */
desktop: Desktop, 
/**
 * Whether it shows the tray's icon.
 */
tray: TrayHost, 
/**
 * Whether Kubefob is started with it.
 */
autostart: boolean, };

/**
 * One account, as it is shown.
 */
export type AccountView = { 
/**
 * Its id.
 */
id: string, 
/**
 * What people call it.
 */
label: string, 
/**
 * Its issuer.
 */
issuer: string, 
/**
 * Its client id.
 */
client_id: string, 
/**
 * Its state.
 */
state: StateWord, 
/**
 * Whether nobody has ever signed in to it.
 */
is_new: boolean, 
/**
 * Who is signed in, or was until the session ended.
 */
name: string | null, 
/**
 * Their groups.
 */
groups: Array<string>, 
/**
 * When the token ends, on this computer's clock (milliseconds since the epoch).
 */
expires: Wall | null, 
/**
 * When the token came.
 */
obtained: Wall | null, 
/**
 * When a person signed in.
 */
signed_in: Wall | null, 
/**
 * Whether the token is renewed by itself.
 */
renews: boolean, 
/**
 * For how many seconds without a renewal the provider keeps the session, where it says so.
 */
survives: number | null, 
/**
 * When the provider is tried again, where it is not reached and that is done by itself.
 */
tries_again: Wall | null, 
/**
 * Since when it is as its problem says.
 */
since: Wall | null, 
/**
 * Who was seen to be given a token of it, and when; of many one is noted now and then.
 */
asked: LastUse | null, 
/**
 * How far the provider's clock is from ours, in seconds, where that is more than a few.
 */
clock_off: number | null, 
/**
 * The programs that wait for it, oldest first.
 */
waiting: Array<string>, 
/**
 * The API servers that refuse its tokens however fresh they are.
 */
refused_by: Array<string>, 
/**
 * What is wrong.
 */
problem: ProblemView | null, };

/**
 * Somebody who was given a token.
 */
export type LastUse = { 
/**
 * When.
 */
at: Wall, 
/**
 * The program.
 */
by: string, };

/**
 * A session's state, as tray, window, terminal and page name it.
 */
export type StateWord = "signed-out" | "signing-in" | "signed-in" | "renewing" | "cannot-reach" | "needs-you" | "refused";

/**
 * What is wrong, in the reader's language.
 */
export type ProblemView = { 
/**
 * To branch on.
 */
code: Code, 
/**
 * What happened.
 */
message: string, 
/**
 * What to do.
 */
hint: string, };

/**
 * Every kind of thing that can go wrong. Its name is part of the contract with tray,
 * window and scripts; its texts stand in `texts/`.
 */
export type Code = "unknown-flag" | "unknown-flag-near" | "flag-of-azure" | "flag-not-yet" | "flag-dropped" | "flag-dropped-keyring" | "flag-no-value" | "flag-choice" | "flag-form" | "flag-range" | "flag-beside" | "flag-missing" | "stray-word" | "unknown-command" | "command-not-yet" | "not-understood" | "incomplete" | "plugin-verb" | "not-in-containers" | "not-utf8" | "exec-info" | "exec-version" | "no-such-account" | "which-account" | "label-taken" | "not-removed" | "bad-field" | "issuer-form" | "no-such-trust" | "no-such-context" | "no-such-context-near" | "context-not-asked" | "kubeconfig-locked" | "kubeconfig-not-changed" | "switch-undone" | "not-trusted" | "not-trusted-unseen" | "not-trusted-container" | "not-for-good" | "question-closed" | "question-unanswered" | "question-unanswered-unseen" | "settings-unanswered" | "question-over" | "asker-ended" | "asked-elsewhere" | "no-such-question" | "no-question" | "which-question" | "unseen-dropped" | "trust-refused" | "trust-refused-unseen" | "trust-refused-several" | "too-many-servers" | "settings-not-allowed" | "settings-refused" | "too-many-wait" | "completion-never-asks" | "unreachable" | "tls-failed" | "tls-failed-own-ca" | "provider-fault" | "lost-reply" | "takes-too-long" | "not-https" | "bad-url" | "wrong-issuer" | "tokens-elsewhere" | "sign-in-elsewhere" | "end-elsewhere" | "no-discovery" | "bad-discovery" | "client-refused" | "request-refused" | "no-id-token" | "bad-token" | "session-ended" | "session-ended-after-lost-reply" | "no-refresh-token" | "refresh-without-id-token" | "not-signed-in" | "signed-out" | "sign-in-timed-out" | "sign-in-broke-off" | "sign-in-cancelled" | "sign-in-refused" | "ports-taken" | "other-port" | "listen-not-loopback" | "no-desktop" | "no-such-screen" | "not-reset" | "autostart-failed" | "screen-locked" | "too-much-to-show" | "no-window" | "no-browser" | "foreign-callback" | "other-person" | "ticket-used" | "visitor-unknown" | "pkce-needed" | "bad-file" | "bad-kubeconfig" | "cannot-look" | "cannot-keep" | "settings-unwritten" | "cannot-forget" | "only-until-end" | "accounts-unwritten" | "accounts-set-aside" | "accounts-lost" | "accounts-unused" | "keyring-locked" | "no-keyring" | "key-lost" | "vault-damaged" | "bad-settings" | "no-log" | "upgrade-waits" | "upgrade-failed" | "ending" | "busy" | "bad-client" | "internal";

/**
 * One trusted pair, as it is shown.
 */
export type TrustView = { 
/**
 * What to call it in a command.
 */
name: string, 
/**
 * The account.
 */
account: string, 
/**
 * The server's URL; none: a request that named none.
 */
server: string | null, 
/**
 * The proxy that its tokens go through.
 */
proxy: string | null, 
/**
 * The certificate authority that its kubeconfig brings: a file, or the beginning of a digest. Another one at the same
 * address is another server.
 */
authority: string | null, 
/**
 * The name that its certificate must have, if not the address's.
 */
server_name: string | null, 
/**
 * Its certificate is not checked.
 */
skips_tls: boolean, 
/**
 * How it came to be trusted.
 */
by: By, 
/**
 * When.
 */
at: Wall, 
/**
 * The contexts that led there.
 */
contexts: Array<string>, 
/**
 * The file that named it.
 */
file: string | null, };

/**
 * How a pair came to be trusted.
 */
export type By = "first-start" | "page" | "window" | "terminal";

/**
 * A question that waits, as it is shown.
 */
export type QuestionView = { 
/**
 * What to call it in a command.
 */
name: string, 
/**
 * Whether the window is the place to answer it.
 */
in_window: boolean, 
/**
 * Whether somebody waits for it; if not, whoever asked was refused, since nobody could answer.
 */
waits: boolean, 
/**
 * What the account is called.
 */
account: string, 
/**
 * Whose it is, where that is known.
 */
who: string | null, 
/**
 * Its issuer.
 */
issuer: string, 
/**
 * Its client id.
 */
client_id: string, 
/**
 * Scopes beside `openid`.
 */
scopes: Array<string>, 
/**
 * Who vouches for the issuer, beside those whom the system trusts.
 */
vouched: Vouched, 
/**
 * The servers that the request needs; all of them are approved together.
 */
servers: Array<ServerLine>, 
/**
 * The file's other servers of this account, to be ticked.
 */
others: Array<ServerLine>, 
/**
 * How many more of them there are, which are asked about when they are needed.
 */
more: number, 
/**
 * The program that asked.
 */
asker: string, 
/**
 * The file that names the servers.
 */
file: string | null, 
/**
 * Nobody uses an account at this issuer: it may be anybody's.
 */
new_issuer: boolean, 
/**
 * In what it would have the person sign in otherwise than was approved.
 */
changes: Array<Change>, 
/**
 * The longest that a yes may hold.
 */
longest: Longest, 
/**
 * Where the servers can't be seen, those that the files of whoever asks name: no evidence.
 */
claims: Array<string>, };

/**
 * The certificate authorities that an account has of its own: with others it is another account.
 */
export type Vouched = { 
/**
 * Those that stand in files.
 */
files: Array<string>, 
/**
 * Whether the kubeconfig has one written in it.
 */
written: boolean, };

/**
 * One server, as it is shown.
 */
export type ServerLine = { 
/**
 * Its URL, its host always whole or its end; or the words for an unknown one.
 */
server: string, 
/**
 * The first of the contexts that lead to it.
 */
contexts: Array<string>, 
/**
 * How many more contexts do.
 */
more: number, 
/**
 * The proxy that its tokens go through, by the file's word.
 */
proxy: string | null, 
/**
 * Whether the file brings the authority that must have signed its certificate: else the system's count.
 */
own_authority: boolean, 
/**
 * What to be wary of.
 */
wary: Array<Wary>, };

/**
 * One setting in which an ask differs from what was approved.
 */
export type Change = { 
/**
 * The flag of kubelogin's that sets it.
 */
flag: string, 
/**
 * Its value as it was approved.
 */
was: string, 
/**
 * Its value in this ask.
 */
now: string, };

/**
 * Something to be wary of in a question.
 */
export type Wary = "skips-tls" | "proxy" | "proxy-reads" | "other-authority" | "server-name" | "other-name" | "unknown";

/**
 * A kubeconfig, as it is shown.
 */
export type KubeconfigView = { 
/**
 * Its path as people write it, `~` for the home folder.
 */
file: string, 
/**
 * Its path.
 */
path: string, 
/**
 * The current context.
 */
current: string | null, 
/**
 * The contexts, by name.
 */
contexts: Array<ContextView>, };

/**
 * A context, as it is shown.
 */
export type ContextView = { 
/**
 * Its name.
 */
name: string, 
/**
 * The API server's address, where the cluster exists.
 */
server: string | null, 
/**
 * The name of its user.
 */
user: string, 
/**
 * Its namespace, where it names one.
 */
namespace: string | null, 
/**
 * The id of the account that its user's `exec` makes, where it runs us.
 */
account: string | null, 
/**
 * Whether it calls us by kubelogin's name.
 */
kubelogin: boolean, };

/**
 * An account that a kubeconfig's users make, once a person signs in to it.
 */
export type FoundView = { 
/**
 * The id that it will have, by which it is signed in to.
 */
id: string, 
/**
 * Its issuer.
 */
issuer: string, 
/**
 * Its client id.
 */
client_id: string, 
/**
 * The contexts that use it.
 */
contexts: Array<string>, 
/**
 * The kubeconfigs that name it.
 */
files: Array<string>, 
/**
 * Whether one of them calls us by kubelogin's name.
 */
kubelogin: boolean, };

/**
 * Whose plugin comes first on PATH, as it is shown.
 */
export type PluginView = { 
/**
 * Whose it is.
 */
is: Whose, 
/**
 * Its path; none: there is none.
 */
path: string | null, 
/**
 * The program whose PATH was looked at; none: this desktop's.
 */
on: string | null, 
/**
 * The command that makes it ours; none: it is.
 */
remedy: string | null, };

/**
 * Whose plugin it is.
 */
export type Whose = "ours" | "others" | "nobodys";

/**
 * Where tokens rest just now, said as it is.
 */
export type Keep = "unknown" | "sealed" | "plain" | "memory-locked" | "memory-no-keyring" | "memory-key-lost" | "memory-no-disk";

/**
 * Where things rest, as people write it, `~` for the home folder.
 */
export type PlacesView = { 
/**
 * The folder of sealed tokens.
 */
tokens: string, 
/**
 * The settings file.
 */
settings: string, 
/**
 * The folder of the program's log.
 */
log: string, };

/**
 * What is known of the person's graphical login.
 */
export type Desktop = "none" | "locked" | "unlocked";

/**
 * Whether the desktop shows the tray's icon.
 */
export type TrayHost = "unknown" | "there" | "missing";

/**
 * When tokens are renewed by themselves.
 */
export type KeepFresh = "always" | "while-in-use";

/**
 * How the window looks.
 */
export type Theme = "system" | "light" | "dark";

/**
 * A setting, and what a person chooses for it.
 */
export type Choice = { "setting": "language", 
/**
 * None: that of the desktop, and of whoever asks.
 */
language: Language | null, } | { "setting": "theme", 
/**
 * How.
 */
theme: Theme, } | { "setting": "keep-fresh", 
/**
 * When.
 */
when: KeepFresh, } | { "setting": "autostart", 
/**
 * Whether it is.
 */
on: boolean, };

/**
 * A language that Kubefob speaks.
 */
export type Language = "en" | "ko";

/**
 * A time of day on this computer's clock, in milliseconds since the Unix epoch. It jumps when
 * somebody sets the clock; tokens carry times of this kind.
 */
export type Wall = number;
