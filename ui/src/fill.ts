// Fills a text's parameters in, exactly as `broker/src/texts.rs` does; both are tested against
// `texts/cases.json`.

export type Parameters = Record<string, string | number>;

/** `{server}` becomes the parameter; `{server|을/를}` the parameter and the particle it wants. */
export function fill(template: string, parameters: Parameters = {}): string {
  return template.replace(/\{([^}]*)\}(\.(?!\S))?/g, (_, slot: string, stop = "") => {
    const bar = slot.indexOf("|");
    const name = bar < 0 ? slot : slot.slice(0, bar);
    const known = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
    const value = known === undefined ? slot : clean(String(known));
    const particles = bar < 0 ? "" : slot.slice(bar + 1);
    const cut = particles.indexOf("/");
    // Others' words come with their own full stop or without: there is one.
    const end = value.endsWith(".") ? "" : stop;
    if (cut < 0) return value + end;
    return (
      value + (endsInConsonant(value) ? particles.slice(0, cut) : particles.slice(cut + 1)) + stop
    );
  });
}

const TURNS = "\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069\\u2028\\u2029\\u061c";
const UNSEEN =
  "\\u00ad\\u034f\\u115f\\u1160\\u180e\\u200b\\u2060-\\u2064\\u3164\\ufeff\\uffa0\\ufff9-\\ufffb\\u{e0000}-\\u{e007f}";
/** A joiner where no letter of a script that is written with them is before it. */
const JOINER = "(?<!\\P{ASCII})[\\u200c\\u200d]";
const HARMFUL = new RegExp(`[\\p{Cc}${TURNS}${UNSEEN}]|${JOINER}`, "gu");

/** Control characters, the marks that turn the direction of writing, and what nobody sees, made inert. */
export function clean(text: string): string {
  return text.replace(HARMFUL, "\ufffd");
}

function endsInConsonant(word: string): boolean {
  const last = word.match(/[\p{Alphabetic}\p{N}](?=[^\p{Alphabetic}\p{N}]*$)/u)?.[0];
  if (last === undefined) return false;
  if (last >= "가" && last <= "힣") return (last.charCodeAt(0) - 0xac00) % 28 !== 0;
  // 영 일 삼 육 칠 팔; 엘 엠 엔 알
  return "013678lmnrLMNR".includes(last);
}
