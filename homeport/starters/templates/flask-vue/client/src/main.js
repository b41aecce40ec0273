import { createApp } from "vue";

import "../../static/style.css";
import App from "./App.vue";

createApp(App).mount("#app");
