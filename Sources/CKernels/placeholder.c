typedef int tributary_placeholder_k;
