// The program that writes local/model/embeddings.bin, so that a first start need not embed. Run it after a change of tickets or dictionary.

import { openEmbedder } from "./embedding/embedder.ts";
import { embedTickets, gistOf } from "./embedding/ticket_embedding.ts";
import { parseLabelledTickets, splitTickets, TICKETS_URL } from "./tickets.ts";
import { EMBEDDINGS_URL, embeddingsKey } from "./training/train_model.ts";
import { packVectors } from "./embedding/vector_file.ts";

const { training } = splitTickets(parseLabelledTickets(await Deno.readTextFile(TICKETS_URL)));
const embedded = await embedTickets(training, await openEmbedder());
const key = await embeddingsKey(training.map(gistOf));
await Deno.writeFile(EMBEDDINGS_URL, packVectors(key, embedded.map(({ embedding }) => embedding)));
await Deno.stdout.write(new TextEncoder().encode(`embedded ${embedded.length} tickets\n`));
Deno.exit(0);
