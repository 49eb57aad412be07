// The language a ticket seems to be in: by its script, else by common short words. A guess. Pure.

const COMMON_WORDS: Readonly<Record<string, readonly string[]>> = {
  en: words(
    "the and is are to of my i you it not with for have has this that can please hi hello how when what your we do was in on be there me no he she us our its were been will would should does did an at by but or if so then than after before why who where which just still again more get got out up im dont cant pls thx one all from they them his her about only since now too any did as a",
  ),
  es: words(
    "el la los las de que y en un una mi no me se por para con como hola gracias está pero puedo han más lo es buenos buenas favor desde cuando quiero",
  ),
  fr: words(
    "le la les de des et un une mon je vous ne pas est pour que qui dans avec bonjour merci mais sur depuis votre ce mes plus cela puis au du été c j l",
  ),
  de: words(
    "der die das und ich ist nicht ein eine mein meine zu mit auf für es den dem von sie wir bitte hallo guten danke seit wie aber kann wird im habe ihre",
  ),
  it: words(
    "il lo la gli le di che e un una mio non mi per con come ciao grazie ma è sono del della buongiorno ho vorrei posso nel dal anche salve si da al",
  ),
  pt: words(
    "o a os as de que e em um uma meu minha não me se por para com como olá obrigado obrigada mas está foi do da eu vocês posso já na no quero bom dia",
  ),
  nl: words(
    "de het een en ik is niet mijn van op voor met dat te er jullie hallo bedankt maar wat kan geen heb sinds graag hoe ook aan bij goedemiddag wordt nog",
  ),
  sv: words("och jag är det att en ett inte min mitt på för med som har hej tack men kan när ni av till"),
  pl: words("i w na nie się jest że do z mam proszę dzień dobry mnie o po jak moje od czy dziękuję za"),
  da: words("og jeg er det at en et ikke min mit på for med som har hej tak men kan når i af til jeres"),
  tr: words("ve bir bu için çok ben ne var yok değil ama merhaba nasıl lütfen teşekkürler mi da de hesabım"),
};

const SCRIPTS: readonly (readonly [string, RegExp])[] = [
  ["ja", /[\p{Script=Hiragana}\p{Script=Katakana}]/gu],
  ["zh", /\p{Script=Han}/gu],
  ["ko", /\p{Script=Hangul}/gu],
  ["ru", /\p{Script=Cyrillic}/gu],
  ["ar", /\p{Script=Arabic}/gu],
  ["el", /\p{Script=Greek}/gu],
];

/** The beginning of a text gives its language away. */
const CHARACTERS_READ = 2_000;

/** An ISO 639-1 code, or "und" (undetermined, ISO 639-2) where nothing is recognised. */
export function guessLanguage(whole: string): string {
  const text = whole.slice(0, CHARACTERS_READ);
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  for (const [language, script] of SCRIPTS) {
    if ((text.match(script)?.length ?? 0) > letters * 0.2) return language;
  }
  const spoken = text.toLowerCase().match(/\p{L}+/gu) ?? [];
  const counts = Object.entries(COMMON_WORDS).map(([language, common]) => ({
    language,
    count: spoken.filter((word) => common.includes(word)).length,
  }));
  const best = counts.reduce((left, right) => (right.count > left.count ? right : left));
  return best.count === 0 ? "und" : best.language;
}

function words(spaced: string): readonly string[] {
  return spaced.split(" ");
}
