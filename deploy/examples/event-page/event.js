/** What the event is. */

export const EVENT = {
  room: "harbour-lecture",
  series: "The Harbour Lectures",
  title: "What the tide tells us",
  when: "Thursday, 18:30",
  host: "Maya Levin",
  text: "Two people who spend their days at the water's edge, and an hour to ask them everything: how a harbour listens to the sea, why the gauges disagree, and what a centimetre means to a city.",
};

export const SPEAKERS = [
  { name: "Maya Levin", initials: "ML", text: "Oceanographer. Reads tide gauges for a living, and doubts most of them." },
  { name: "Jonas Weber", initials: "JW", text: "Harbour engineer. Builds walls, and explains why they are never high enough." },
];

export const AGENDA = [
  { time: "18:30", title: "Welcome", text: "Who is here, and how to ask" },
  { time: "18:40", title: "A century of gauges", text: "Maya Levin" },
  { time: "19:10", title: "The wall and the water", text: "Jonas Weber" },
  { time: "19:40", title: "Your questions", text: "Raise a hand and come on stage" },
];
