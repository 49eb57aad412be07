// Tests of what a model's text answers, and of what it only thought aloud.

import assert from "node:assert/strict";
import { readCompletion } from "../../../../../worker/core/answer/completion.ts";
import { parseTaxonomy } from "../../../../../worker/core/taxonomy.ts";
import defaultTaxonomy from "../../../../../worker/taxonomy.json" with { type: "json" };

const taxonomy = parseTaxonomy(defaultTaxonomy);
const read = (content: string) => readCompletion(content, taxonomy, () => false);
const BUG = '{"category":"bug","language":"en","reason":"It crashes."}';
const BILLING = '{"category":"billing"}';

/** Around the answer, or before it: every vendor's way to mark thoughts. The thoughts name another label. */
const THOUGHTS: readonly string[] = [
  `<think>Perhaps ${BILLING}?</think>`,
  "<think></think>\n\n",
  "<think>\n\n</think>",
  `I would say ${BILLING}, but no.\n</think>\n`,
  `<thinking>${BILLING}</thinking>`,
  `<Thinking>\nbilling\n</ThinkING>`,
  `<thought>${BILLING}</thought>`,
  `<reasoning>${BILLING}</reasoning>`,
  `<reflection>${BILLING}</reflection>`,
  `<scratchpad>${BILLING}</scratchpad>`,
  `<analysis>${BILLING}</analysis>`,
  `<think type="deep">${BILLING}</think>`,
  `<seed:think>${BILLING}</seed:think>`,
  `<antThinking>${BILLING}</antThinking>`,
  `[THINK]${BILLING}[/THINK]`,
  `◁think▷${BILLING}◁/think▷`,
  `<|begin_of_thought|>${BILLING}<|end_of_thought|>`,
  `<|START_THINKING|>${BILLING}<|END_THINKING|>`,
  `<unused94>thought\n${BILLING}<unused95>`,
  `<|channel|>analysis<|message|>${BILLING}<|end|><|start|>assistant<|channel|>final<|message|>`,
  `<|channel|>commentary<|message|>${BILLING}<|end|><|channel|>final<|message|>`,
  `<|channel>thought\n${BILLING}<channel|>`,
  `analysisThe user pays: ${BILLING}.assistantfinal`,
  `&lt;think&gt;${BILLING}&lt;/think&gt;`,
  `Here is my thought process: ${BILLING} Here is my response:\n`,
  `<deep_think>${BILLING}</deep_think>`,
  `<|reasoning_start|>${BILLING}<|reasoning_end|>`,
  `<|im_start|>think\n${BILLING}<|im_end|><|im_start|>answer\n`,
  `<think>a <think> b ${BILLING}</think> c ${BILLING}</think>`,
];

Deno.test("answerIn() takes the answer behind thoughts in every vendor's spelling, and never the thoughts", () => {
  for (const thoughts of THOUGHTS) {
    const answer = read(thoughts + BUG);
    assert.equal(answer?.category, "bug", thoughts);
    assert.equal(answer.reason, "It crashes.", thoughts);
    assert.equal(read(`${thoughts}bug`)?.category, "bug", `${thoughts}, plain`);
    assert.equal(read(`${thoughts}\n\`\`\`json\n${BUG}\n\`\`\``)?.category, "bug", `${thoughts}, fenced`);
    assert.equal(read(thoughts), undefined, `${thoughts} alone`);
  }
});

Deno.test("answerIn() takes nothing out of thoughts that never end", () => {
  for (const open of ["<think>", "[THINK]", "◁think▷", "<|channel|>analysis<|message|>", "<reasoning>"]) {
    assert.equal(read(open + BUG), undefined, open);
    assert.equal(read(`${BILLING}${open}${BUG}`)?.category, "billing", `an answer before ${open}`);
  }
});

Deno.test("answerIn() reads an answer with anything harmless around or in it", () => {
  const answers = [
    `Sure! Here is the label: ${BUG} Is there anything else?`,
    `The label:\n\n\`\`\`json\n${BUG}\n\`\`\`\n\nIt crashes, so it is a bug.`,
    `\`\`\`\n${BUG}\n\`\`\``,
    '{"category": "bug", "language": "en",}',
    "{'category': 'bug', 'reason': 'It\\'s broken', 'confident': True, 'note': None}",
    '{category: "bug"}',
    '{"category": "bug", // it crashes\n /* surely */ "language": "en"}',
    `<think />${BUG}`,
    `<tool_call>{"name": "ticket_label", "arguments": ${BUG}}</tool_call>`,
    "<category>bug</category><reason>It crashes, billing is fine.</reason>",
    "{“category”: “bug”}",
    '{"category": "bug", "reason": "It says "500" and 6\' tall"}',
    "{'category': 'bug', 'reason': 'it's broken'}",
    '{"Category": "Bug"}',
    JSON.stringify(BUG),
    `[${BUG}]`,
    `{"answer": ${BUG}}`,
    `${BUG}\n${BUG}`,
    "<answer>bug</answer>",
    `<|begin_of_solution|>${BUG}<|end_of_solution|>`,
    "```\nbug\n```",
    '{"category":"bug","reason":"It says <think> and {billing} and </think> in the ticket"}',
  ];
  for (const answer of answers) assert.equal(read(answer)?.category, "bug", answer);
});

Deno.test("answerIn() finds no label where there are two, none, or half of one", () => {
  const answers = [
    `${BUG} or ${BILLING}`,
    `{"category": "bug", "alternative": {"category": "sales"}, "category2": 1`,
    '{"category": "hacked"}',
    '{"category": "bug", "reason": "They say "x", "category": "billing"}',
    '{"category": "bug"',
    '{"category": {"category": ["bug"]}}',
    "I think it is a bug, because it crashes.",
  ];
  for (const answer of answers) assert.equal(read(answer), undefined, answer);
});

Deno.test("answerIn() knows where the category stands in the whole text", () => {
  for (const thoughts of THOUGHTS) {
    const text = thoughts + BUG;
    const span = read(text)?.span;
    assert.ok(span !== undefined && span.from > thoughts.length);
    assert.equal(text.slice(span.from, span.to), "bug");
  }
});

/** How much more a text of eight times the length costs: in proportion it is about 8, by the square 64. */
function growth(unit: string, length: number): number {
  const costOf = (text: string) =>
    Math.min(...Array.from({ length: 7 }, () => {
      const startMs = performance.now();
      read(text);
      return performance.now() - startMs;
    }));
  const short = costOf(unit.repeat(length / 8 / unit.length));
  return costOf(unit.repeat(length / unit.length)) / Math.max(1, short);
}

Deno.test("readCompletion() takes time in proportion to a hostile answer's length", () => {
  const units = [
    " ",
    '{"',
    "{",
    "<think>",
    "</think>",
    "<|channel|>final",
    "[",
    "{“",
    "{'a':",
    '{"a":[',
    "<a a ",
    "here is my ",
    "\\u00",
    "`",
  ];
  for (const unit of units) {
    const times = growth(unit, 120_000);
    assert.ok(times < 40, `${unit}: ${times}`);
  }
});

Deno.test("readCompletion() looks at no answer that is longer than any label", () => {
  for (const unit of [" ", '{"', "<think>"]) {
    assert.equal(read(unit.repeat(1_000_000 / unit.length) + BUG), undefined);
  }
});
