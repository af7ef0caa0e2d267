// Members of a hub share its address, and somebody there guesses: the device on which a member signed in is not shut out.
import { type Devices, hearth, type Problem } from "@hearth/client";

declare const process: { argv: [string, string, string, string, string] };
const [, , baseUrl, email, password] = process.argv;
const say = (fact: unknown) => console.log(JSON.stringify(fact));

const disk = new Map<string, string>();
const devices: Devices = {
  get: async (address) => disk.get(address) ?? null,
  set: async (address, token) => void disk.set(address, token),
};
const signIn = (client = hearth({ baseUrl }), as = email, word = password) =>
  client.signIn(as, word).then(() => "signed in", (problem: Problem) => problem.code);

const inMemory = hearth({ baseUrl });
say([await signIn(inMemory), await signIn(hearth({ baseUrl, devices }))]);
say([[...disk.keys()].join() === email, [...disk.values()].join().length > 40]);
const kept = disk.get(email);

for (let guess = 1; guess <= 6; guess++) await signIn(undefined, email, `guess ${guess}`);
say(["a new visitor", await signIn()]);
say(["the same page", await signIn(inMemory)]);
say(["a later visit", await signIn(hearth({ baseUrl, devices }), ` ${email.toUpperCase()}`)]);
say(["a wrong password", await signIn(hearth({ baseUrl, devices }), email, "not the password"), disk.get(email) === kept]);

disk.set(email, "forged");
say(["a forged token", await signIn(hearth({ baseUrl, devices }))]);
const full: Devices = { get: () => kept, set: () => Promise.reject(new Error("the disk is full")) };
say(["nowhere to keep it", await hearth({ baseUrl, devices: full }).signIn(email, password).catch((error) => error.message)]);
