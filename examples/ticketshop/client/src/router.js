import { createRouter, createWebHistory } from "vue-router";
import { session } from "./session.js";
import Event from "./views/Event.vue";
import Events from "./views/Events.vue";
import LogIn from "./views/LogIn.vue";
import NewEvent from "./views/NewEvent.vue";
import Tickets from "./views/Tickets.vue";
import Wallet from "./views/Wallet.vue";

const members = { members: true };

export const router = createRouter({
  history: createWebHistory(), // real addresses: Flask answers all of them with the same page
  routes: [
    { path: "/", component: Events },
    { path: "/events/new", component: NewEvent, meta: members },
    { path: "/events/:id(\\d+)", component: Event, props: true },
    { path: "/tickets", component: Tickets, meta: members },
    { path: "/wallet", component: Wallet, meta: members },
    { path: "/log-in", component: LogIn },
    { path: "/:anything(.*)", redirect: "/" },
  ],
  scrollBehavior: () => ({ top: 0 }),
});

// After the log-in people come back to where they wanted to go.
router.beforeEach((to) => {
  if (to.meta.members && !session.token) return { path: "/log-in", query: { next: to.fullPath } };
});
