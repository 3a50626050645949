// The scripted views: one a situation that a person can be in.

import type {
  AccountView,
  ContextView,
  FoundView,
  Language,
  PluginView,
  QuestionView,
  ServerLine,
  StanzaView,
  TrustView,
  View,
} from "../../contract";

/** A Tuesday afternoon; the demo's clock stands here. */
export const NOW = Date.parse("2026-11-24T14:05:00");

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The sentences that the resident would send, in its language. */
const SAID = {
  en: {
    ended: "The provider ended this session: session not active.",
    endedHint: "Sign in again.",
    reach: "dex.branch.example can't be reached: connection timed out.",
    reachHint: "Kubefob keeps trying. Check network, VPN and proxy.",
    refused: "The provider refuses the client kubernetes-client (invalid_client).",
    refusedHint:
      "Check the client id in the kubeconfig's args, and the secret if this client has one: either may have been changed at the provider.",
    upgrade:
      "Another version of Kubefob is installed. This one goes on, since only its memory has the tokens.",
    upgradeHint:
      "The other takes over by itself once the keyring is there and unlocked. To have it now, end this one and sign in again.",
    locked:
      "Another program is changing the kubeconfig, or has left its lock behind: ~/.kube/config.lock.",
    wrong:
      "The provider calls itself https://sso.example.com/realms/r/, and not https://sso.example.com/realms/r.",
    wrongHint: "Use the issuer that the provider names.",
    lockedHint:
      "If no 'kubectl config' is running, delete that file and try again. Nothing was changed.",
  },
  ko: {
    ended: "인증 서버가 이 세션을 끝냈습니다: session not active.",
    endedHint: "다시 로그인하세요.",
    reach: "dex.branch.example에 연결할 수 없습니다: connection timed out.",
    reachHint: "Kubefob가 계속 시도합니다. 네트워크, VPN, 프록시를 확인하세요.",
    refused: "인증 서버가 클라이언트 kubernetes-client를 거절했습니다(invalid_client).",
    refusedHint:
      "kubeconfig의 args에 있는 클라이언트 ID를 확인하고, 시크릿을 쓰는 클라이언트라면 시크릿도 확인하세요. 인증 서버에서 바뀌었을 수 있습니다.",
    upgrade:
      "다른 버전의 Kubefob가 설치되었습니다. 토큰이 메모리에만 있어 지금 것이 계속 실행됩니다.",
    upgradeHint:
      "키링이 준비되고 잠금이 풀리면 새 버전이 자동으로 이어받습니다. 지금 바꾸려면 이 Kubefob를 끝내고 다시 로그인하세요.",
    locked:
      "다른 프로그램이 kubeconfig를 바꾸고 있거나 잠금 파일을 남겼습니다: ~/.kube/config.lock.",
    wrong:
      "인증 서버가 밝힌 발급자는 https://sso.example.com/realms/r/이며 https://sso.example.com/realms/r이 아닙니다.",
    wrongHint: "인증 서버가 밝힌 발급자를 쓰세요.",
    lockedHint:
      "실행 중인 'kubectl config'가 없다면 그 파일을 지우고 다시 시도하세요. 아무것도 바뀌지 않았습니다.",
  },
} as const;

export type Sentences = (typeof SAID)[Language];

export function said(language: Language): Sentences {
  return SAID[language];
}

function account(id: string, change: Partial<AccountView>): AccountView {
  return {
    id,
    label: id,
    issuer: `https://${id}`,
    client_id: "kubernetes-client",
    state: "signed-out",
    is_new: false,
    asked: null,
    survives: null,
    tries_again: null,
    since: null,
    obtained: null,
    name: null,
    groups: [],
    expires: null,
    signed_in: null,
    renews: false,
    clock_off: null,
    waiting: [],
    refused_by: [],
    problem: null,
    ...change,
  };
}

/** What a resident makes of something found. */
export function signingIn(id: string, issuer: string, client_id: string): AccountView {
  return account(id, {
    label: new URL(issuer).host,
    issuer,
    client_id,
    state: "signing-in",
    is_new: true,
  });
}

function accounts(language: Language): Record<"park" | "test" | "ops", AccountView> {
  const words = said(language);
  return {
    park: account("login.acme.example", {
      client_id: "k8s",
      state: "needs-you",
      name: "j.park",
      waiting: ["kubectl", "k9s"],
      since: NOW - 3 * MINUTE,
      problem: { code: "session-ended", message: words.ended, hint: words.endedHint },
    }),
    test: account("sso.ddanzit.example", {
      issuer: "https://sso.ddanzit.example/realms/ddanzit",
      state: "signed-in",
      name: "test",
      groups: ["kubernetes:admin"],
      expires: NOW + 4 * MINUTE,
      signed_in: NOW - 5 * HOUR - 53 * MINUTE,
      obtained: NOW - MINUTE,
      survives: 30 * 60,
      asked: { at: NOW - 2 * MINUTE, by: "kubectl" },
      renews: true,
    }),
    ops: account("dex.branch.example", {
      label: "ops@branch",
      client_id: "branch",
      state: "cannot-reach",
      name: "ops@branch",
      expires: NOW + 12 * MINUTE,
      signed_in: NOW - DAY,
      obtained: NOW - 48 * MINUTE,
      tries_again: NOW + MINUTE,
      renews: true,
      problem: { code: "unreachable", message: words.reach, hint: words.reachHint },
    }),
  };
}

function context(
  name: string,
  server: string,
  user: string,
  change: Partial<ContextView> = {},
): ContextView {
  return {
    name,
    server: `https://${server}`,
    user,
    namespace: null,
    account: null,
    kubelogin: false,
    ...change,
  };
}

const CONTEXTS: ContextView[] = [
  context("kubernetes", "api.ddanzit.example:6443", "keycloak-user", {
    account: "sso.ddanzit.example",
  }),
  context("staging", "api.staging.acme.example", "acme", {
    namespace: "web",
    account: "login.acme.example",
  }),
  context("acme-eu-1", "api.eu1.acme.example", "acme", {
    namespace: "payments",
    account: "login.acme.example",
  }),
  context("branch-edge", "10.20.0.11:6443", "branch", { account: "dex.branch.example" }),
  context("kind-local", "127.0.0.1:40231", "kind-local"),
];

const PLAIN = {
  proxy: null,
  authority: "3f7k2mq9x0ab",
  server_name: null,
  skips_tls: false,
} satisfies Partial<TrustView>;

const TRUSTS: TrustView[] = [
  {
    name: "3fa1c07e",
    account: "sso.ddanzit.example",
    server: "https://api.ddanzit.example:6443",
    ...PLAIN,
    by: "first-start",
    at: NOW - 21 * DAY,
    contexts: ["kubernetes"],
    file: "~/.kube/config",
  },
  {
    name: "90d2be11",
    account: "login.acme.example",
    server: "https://api.staging.acme.example",
    ...PLAIN,
    by: "page",
    at: NOW - 6 * HOUR,
    contexts: ["staging"],
    file: "~/.kube/config",
  },
  {
    name: "7bb05d3a",
    account: "login.acme.example",
    server: "https://api.eu1.acme.example",
    ...PLAIN,
    proxy: "http://proxy.acme.example:3128",
    by: "window",
    at: NOW - DAY - 2 * HOUR,
    contexts: ["acme-eu-1", "acme-eu-1-admin"],
    file: "~/work/acme.yaml",
  },
  {
    name: "c41e9f02",
    account: "ops@branch",
    server: null,
    ...PLAIN,
    authority: null,
    by: "terminal",
    at: NOW - 4 * DAY,
    contexts: [],
    file: null,
  },
];

const OTHERS: PluginView = {
  is: "others",
  path: "~/.krew/bin/kubectl-oidc_login",
  on: null,
  remedy: "kubectl krew uninstall oidc-login",
};

export const REDIRECTS = ["http://localhost:8000", "http://localhost:18000"];

/** What a resident says of how a kubeconfig uses an account. */
export function stanzaOf({ label, issuer, client_id }: AccountView): StanzaView {
  const args = ["get-token", `--oidc-issuer-url=${issuer}`, `--oidc-client-id=${client_id}`];
  const version = "client.authentication.k8s.io/v1";
  return {
    yaml: `- name: ${label}
  user:
    exec:
      apiVersion: ${version}
      command: kubectl-fob
      interactiveMode: IfAvailable
      provideClusterInfo: true
      args:
${args.map((arg) => `      - ${arg}\n`).join("")}`,
    command: `kubectl config set-credentials ${label} --exec-api-version=${version} --exec-command=kubectl-fob --exec-interactive-mode=IfAvailable --exec-provide-cluster-info ${args.map((arg) => `--exec-arg=${arg}`).join(" ")}`,
    redirects: REDIRECTS,
  };
}

const FOUND: FoundView = {
  id: "f1",
  issuer: "https://login.acme.example",
  client_id: "k8s",
  contexts: ["staging", "acme-eu-1"],
  files: ["~/.kube/config"],
  kubelogin: true,
};

/** What is usual of a server: it has an authority of its own, and no proxy. */
const USUAL = { more: 0, proxy: null, own_authority: true, wary: [] } satisfies Partial<ServerLine>;

export const QUESTION: QuestionView = {
  name: "b7c2",
  in_window: true,
  waits: true,
  account: "ddanzit",
  who: "test",
  issuer: "https://sso.ddanzit.example/realms/ddanzit",
  client_id: "kubernetes-client",
  scopes: [],
  vouched: { files: [], written: false },
  servers: [{ server: "https://api.new-team.example:6443", contexts: ["new-team"], ...USUAL }],
  others: [],
  more: 0,
  asker: "kubectl",
  file: "~/Downloads/team.yaml",
  new_issuer: false,
  changes: [],
  longest: "always",
  claims: [],
};

/** One whose server can't be seen, from a container. */
const UNSEEN = (language: Language): QuestionView => ({
  ...QUESTION,
  servers: [
    {
      server:
        language === "ko" ? "여기서 알 수 없는 서버" : "a server that can't be seen from here",
      contexts: [],
      ...USUAL,
      own_authority: false,
      wary: ["unknown"],
    },
  ],
  file: null,
  longest: "container",
  claims: ["https://api.new-team.example:6443"],
});

const WARY: QuestionView = {
  ...QUESTION,
  new_issuer: true,
  scopes: ["groups", "offline_access"],
  vouched: { files: ["~/Downloads/authority.pem"], written: true },
  changes: [{ flag: "--oidc-pkce-method", was: "auto", now: "no" }],
  servers: [
    {
      server: "https://api.new-team.example:6443",
      contexts: ["new-team"],
      ...USUAL,
      own_authority: false,
      wary: ["skips-tls"],
    },
  ],
};

const SEVERAL: QuestionView = {
  ...QUESTION,
  servers: [
    { server: "https://api.dev.new-team.example", contexts: ["dev"], ...USUAL },
    {
      server: "https://api.test.new-team.example",
      contexts: ["test", "test-admin"],
      ...USUAL,
      proxy: "http://proxy.new-team.example:3128",
      wary: ["proxy-reads", "other-authority"],
    },
  ],
  others: [
    { server: "https://api.staging.new-team.example", contexts: ["staging"], ...USUAL },
    {
      server: "https://api.eu1.new-team.example",
      contexts: ["eu-1"],
      ...USUAL,
      own_authority: false,
      wary: ["skips-tls"],
    },
  ],
};

/** What each situation makes of the usual view. */
const SITUATIONS = {
  three: (view: View, language: Language): View => {
    const { park, test, ops } = accounts(language);
    return { ...view, accounts: [park, test, ops] };
  },
  one: (view: View, language: Language): View => ({ ...view, accounts: [accounts(language).test] }),
  "signed-out": (view: View, language: Language): View => ({
    ...view,
    accounts: [
      {
        ...accounts(language).test,
        state: "signed-out",
        name: null,
        groups: [],
        expires: null,
        signed_in: null,
      },
    ],
  }),
  "signing-in": (view: View, language: Language): View => {
    const { park, test } = accounts(language);
    return { ...view, accounts: [{ ...park, state: "signing-in", problem: null }, test] };
  },
  /** Every state at once. */
  states: (view: View, language: Language): View => {
    const { park, test, ops } = accounts(language);
    const words = said(language);
    return {
      ...view,
      accounts: [
        park,
        {
          ...test,
          id: "refused",
          state: "refused",
          problem: { code: "client-refused", message: words.refused, hint: words.refusedHint },
        },
        { ...test, id: "ends", renews: false, expires: NOW + 3 * HOUR, clock_off: 40 },
        { ...test, id: "renewing", state: "renewing" },
        ops,
        { ...test, id: "out", state: "signed-out", name: null, groups: [] },
      ],
    };
  },
  /** A home that has kubelogin's kubeconfigs: one was there at the first start, the other came later. */
  first: (view: View): View => ({
    ...view,
    trusts: [],
    accounts: [
      account("sso.ddanzit.example", {
        issuer: "https://sso.ddanzit.example/realms/ddanzit",
        is_new: true,
      }),
    ],
    kubeconfig: view.kubeconfig && {
      ...view.kubeconfig,
      contexts: view.kubeconfig.contexts.map((context) => ({ ...context, kubelogin: true })),
    },
    found: [FOUND],
  }),
  /** The same, and another program's plugin comes first. */
  others: (view: View): View => ({ ...SITUATIONS.first(view), plugin: OTHERS }),
  "card-others": (view: View, language: Language): View => ({
    ...SITUATIONS.one(view, language),
    kubeconfig: view.kubeconfig && {
      ...view.kubeconfig,
      contexts: view.kubeconfig.contexts.map((context) => ({ ...context, kubelogin: true })),
    },
    plugin: OTHERS,
  }),
  /** Other kubeconfigs that askers had. */
  files: (view: View, language: Language): View => ({
    ...SITUATIONS.three(view, language),
    files: [
      {
        file: "~/work/branch.yaml",
        path: "/home/you/work/branch.yaml",
        current: "edge",
        contexts: [
          context("edge", "10.20.0.11:6443", "branch", { account: "dex.branch.example" }),
          context("edge-lab", "10.20.0.12:6443", "branch", { account: "dex.branch.example" }),
        ],
      },
    ],
  }),
  found: (view: View, language: Language): View => ({
    ...SITUATIONS.one(view, language),
    found: [
      FOUND,
      {
        ...FOUND,
        id: "f2",
        issuer: "https://dex.branch.example",
        client_id: "branch",
        contexts: ["branch-edge"],
        files: ["~/work/branch.yaml"],
      },
    ],
  }),
  empty: (view: View): View => ({ ...view, accounts: [], trusts: [], kubeconfig: null }),
  question: (view: View, language: Language): View => ({
    ...SITUATIONS.one(view, language),
    questions: [QUESTION],
  }),
  consent: (view: View, language: Language): View => SITUATIONS.question(view, language),
  wary: (view: View, language: Language): View => ({
    ...SITUATIONS.one(view, language),
    questions: [WARY],
  }),
  unseen: (view: View, language: Language): View => ({
    ...SITUATIONS.one(view, language),
    questions: [UNSEEN(language)],
  }),
  ended: (view: View, language: Language): View => ({
    ...SITUATIONS.one(view, language),
    questions: [],
    askers_ended: [QUESTION.name],
  }),
  several: (view: View, language: Language): View => ({
    ...SITUATIONS.one(view, language),
    questions: [SEVERAL],
  }),
  memory: (view: View, language: Language): View => {
    const words = said(language);
    return {
      ...SITUATIONS.one(view, language),
      keep: "memory-no-keyring",
      notices: [{ code: "upgrade-waits", message: words.upgrade, hint: words.upgradeHint }],
    };
  },
  /** As much of everything as there may be. */
  long: (view: View, language: Language): View => {
    const { park, test, ops } = accounts(language);
    const far =
      "a-very-long-name-that-somebody-gave-to-a-provider.identity.platform-engineering.acme.example";
    return {
      ...view,
      accounts: [
        {
          ...park,
          name: "wilhelmina.von-hohenstaufen-mcallister@platform-engineering.acme.example",
          issuer: `https://${far}/realms/production`,
        },
        {
          ...test,
          name: "김수한무거북이와두루미삼천갑자동방삭치치카포사리사리센타",
          groups: Array.from(
            { length: 30 },
            (_, n) => `oidc:team-with-a-long-name-${n}:cluster-administrators`,
          ),
        },
        ops,
      ],
      kubeconfig: view.kubeconfig && {
        ...view.kubeconfig,
        file: "~/projects/customers/acme/kubernetes/production/kubeconfig.yaml",
        current: `arn:aws:eks:eu-central-1:123456789012:cluster/${far}`,
        contexts: [
          context(
            `arn:aws:eks:eu-central-1:123456789012:cluster/${far}`,
            `${far}:6443`,
            "arn:aws:eks:user",
            {
              namespace: "a-namespace-with-a-name-of-sixty-three-characters-which-is-most",
              account: "login.acme.example",
            },
          ),
          ...Array.from({ length: 40 }, (_, n) =>
            context(`cluster-${n}`, `10.0.${n}.1:6443`, "admin"),
          ),
        ],
      },
      trusts: view.trusts.map((trust) => ({
        ...trust,
        account: far,
        server: `https://${far}:6443`,
        contexts: Array.from({ length: 12 }, (_, n) => `context-${n}`),
      })),
      questions: [
        {
          ...SEVERAL,
          account: far,
          asker: "an-editor-with-a-long-name-in-a-container",
          more: 2_980,
          servers: SEVERAL.servers.map((line) => ({
            ...line,
            more: 2_990,
            server: `https://${far}:6443/clusters/c-m-abcdefgh`,
          })),
        },
      ],
    };
  },
};

export type Situation = keyof typeof SITUATIONS;

export function isSituation(name: string): name is Situation {
  return Object.hasOwn(SITUATIONS, name);
}

export function view(situation: Situation, language: Language): View {
  const usual: View = {
    accounts: [],
    trusts: TRUSTS,
    questions: [],
    askers_ended: [],
    keep: "sealed",
    kubeconfig: {
      file: "~/.kube/config",
      path: "/home/you/.kube/config",
      current: "kubernetes",
      contexts: CONTEXTS,
    },
    language,
    chosen_language: language,
    keep_fresh: "always",
    places: {
      tokens: "~/.local/share/kubefob/machines/3f1c/vault",
      settings: "~/.config/kubefob/settings.json",
      log: "~/.local/share/kubefob/log",
    },
    notices: [],
    files: [],
    found: [],
    redirects: REDIRECTS,
    theme: "system",
    plugin: { path: "/usr/bin/kubectl-oidc_login", is: "ours", on: "kubectl", remedy: null },
    desktop: "unlocked",
    tray: "there",
    autostart: false,
  };
  return SITUATIONS[situation](usual, language);
}
